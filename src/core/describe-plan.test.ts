import { expect, it } from "@jest/globals";
import { array, assert, jsonValue, property, record, string } from "fast-check";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import { escapeHidden } from "./clean-text.ts";
import { describePlan } from "./describe-plan.ts";

const json = jsonValue().map((value): Json => JSON.parse(JSON.stringify(value)));
const change = record({ target: string(), field: string(), before: json, after: json });

it("shows every target, every value and the action's details to their last character, one fact a line", () => {
  const text = string({ maxLength: 3000, unit: "binary" });
  assert(
    property(text, array(text, { maxLength: 30 }), array(change, { maxLength: 30 }), json, (summary, targets, changes, data) => {
      const lines = describePlan({ summary, targets, changes, reversible: false, data });
      const flat = (value: string) => escapeHidden(value).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
      expect(lines).toHaveLength(2 + targets.length + changes.length + (data === null ? 0 : 1));
      expect(lines.every((line) => !/[\n\r\u202e]/.test(line))).toBe(true);
      for (const target of targets) expect(lines).toContain(`target: ${flat(target)}`);
      for (const { after } of changes) expect(lines.some((line) => line.endsWith(flat(JSON.stringify(after))))).toBe(true);
      expect(data === null || lines.includes(`details: ${flat(JSON.stringify(data))}`)).toBe(true);
    }),
  );
});
