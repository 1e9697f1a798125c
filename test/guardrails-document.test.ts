import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { defaultLimits } from "../src/core/limits.ts";
import { guardrailNames } from "../src/guardrails/evaluate-guardrails.ts";

const text = readFileSync(join(import.meta.dirname, "../docs/guardrails.md"), "utf8");
const rows = [...text.matchAll(/^\| `([a-z-]+)` \|([^|]*)\|/gm)];

it("describes each guardrail", () => {
  expect(new Set(rows.map(([, name]) => name))).toEqual(new Set(guardrailNames));
  expect(rows.length).toBe(guardrailNames.length);
});

it("names each limit with its default", () => {
  const limits = rows.flatMap(([, , cell = ""]) => [...cell.matchAll(/`([a-z]+_[a-z_]+)` \((\d+)\)/g)]);
  expect(Object.fromEntries(limits.map(([, name = "", value]) => [name, Number(value)]))).toEqual(defaultLimits);
});
