import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { createMemoryBudget, isDeeperThan, maxJsonDepth, parseJson } from "./json-body.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const nested = (levels: number) => `${'{"a":['.repeat(levels / 2)}${"]}".repeat(levels / 2)}`;

function depthOf(value: unknown): number {
  if (value === null || typeof value !== "object") return 0;
  return 1 + Math.max(0, ...Object.values(value).map((item) => depthOf(item)));
}

describe("nesting", () => {
  it("is measured as the parsed value nests, whatever texts hold", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat({ max: 8 }), (value, limit) => {
        expect(isDeeperThan(bytes(JSON.stringify(value)), limit)).toBe(depthOf(value) > limit);
      }),
    );
  });

  it.each(['"[[[[["', '"\\"[[[[["', '"\\\\"', '["{{{{", 1]'])("does not count brackets inside the text %s", (text) => {
    expect(isDeeperThan(bytes(text), 1)).toBe(false);
  });

  it("is accepted up to the limit and refused one level further", () => {
    expect(parseJson(bytes(nested(maxJsonDepth)))).toMatchObject({ ok: true });
    expect(parseJson(bytes(`[${nested(maxJsonDepth)}]`))).toMatchObject({ ok: false, problem: { status: 400 } });
  });

  it("of any bytes ends in a value or a problem, never in an exception", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string().map(bytes), fc.constant(bytes("[".repeat(45_000)))), (input) => {
        const parsed = parseJson(input);
        expect(parsed.ok || parsed.problem.status === 400).toBe(true);
      }),
    );
  });
});

it("gives memory back", () => {
  const budget = createMemoryBudget(10);
  expect([budget.take(6), budget.take(6)]).toEqual([true, false]);
  budget.give(6);
  expect(budget.take(10)).toBe(true);
});
