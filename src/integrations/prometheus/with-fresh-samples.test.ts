import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { withFreshSamples } from "./with-fresh-samples.ts";

const now = Date.UTC(2026, 0, 5);
const minuteMs = 60_000;
const { signal } = new AbortController();

async function query(ages: readonly number[], at?: number) {
  const samples = ages.map((ageMs) => ({ labels: {}, value: 1, at: now - ageMs }));
  const reader = withFreshSamples({ query: async () => ({ kind: "samples", samples, warnings: [] }) }, { now: () => now });
  return reader.query("up", { signal, ...(at !== undefined && { at }) });
}

it("is incomplete as soon as one sample is of another time, and complete otherwise", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: -60 * minuteMs, max: 60 * minuteMs })), async (ages) => {
      const isFresh = ages.every((age) => Math.abs(age) <= 5 * minuteMs);
      expect((await query(ages)).kind).toBe(isFresh ? "samples" : "incomplete");
    }),
  );
});

it("says how old the sample is", async () => {
  expect(await query([0, 90 * minuteMs])).toEqual({
    kind: "incomplete",
    reason: "a sample is 1h30m older than the moment that was asked for",
  });
});

it("compares with the moment that was asked for", async () => {
  expect(await query([60 * minuteMs], now - 60 * minuteMs)).toMatchObject({ kind: "samples" });
  expect(await query([0], now - 60 * minuteMs)).toMatchObject({ kind: "incomplete" });
});
