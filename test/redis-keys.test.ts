import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { runKeys } from "../src/platform/redis/run-keys.ts";
import { schemaVersion } from "../src/platform/redis/schema-version.ts";
import { workloadKeys } from "../src/platform/redis/workload-keys.ts";

const document = readFileSync(join(import.meta.dirname, "../docs/redis.md"), "utf8");

const { claim, ...others } = runKeys;
const keys: readonly string[] = [
  claim({ lock: "x" }),
  claim({ bucket: "x", max: 1, windowMs: 1, amount: 1 }),
  claim({ log: "x", entry: "", retentionMs: 1 }),
  ...[...Object.values(others), ...Object.values(workloadKeys)].map((key) =>
    typeof key === "string" ? key : String(Reflect.apply(key, undefined, ["x", 7])),
  ),
];

/** The key as the document writes it. */
function patternOf(key: string): string {
  return key
    .replaceAll(/[0-9a-f]{32,}/g, "<hash>")
    .replaceAll(/:x(?=:|$)/g, ":<id>")
    .replaceAll(/:7(?=:|$)/g, ":<n>");
}

test.each(keys.map(patternOf))("docs/redis.md lists %s", (pattern) => {
  expect(document).toContain(`\`${pattern}\``);
});

test("no part of a key is an abbreviation of one or two letters", () => {
  const short = keys.map(patternOf).filter((pattern) => /:[a-z]{1,2}(?=:|$)/.test(pattern));
  expect(short).toEqual([]);
});

test("docs/redis.md names the current version of the layout", () => {
  expect(document).toContain(`is the version of this layout, now ${schemaVersion}.`);
});
