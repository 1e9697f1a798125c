import { describe, expect, it } from "@jest/globals";
import type { PrefixSample } from "../../core/prefix-sample.ts";
import { createRandom } from "../../core/random.ts";
import { costRatioUpper, measureVersions } from "./compare-versions.ts";

const nothing = { uncached: 0, read: 0, write5m: 0, write30m: 0, write1h: 0, write12h: 0, output: 0 };

function aSample(change: Partial<PrefixSample>): PrefixSample {
  const measured = { ...nothing, uncached: 100 };
  return {
    id: "r",
    at: 0,
    ttftMs: 0,
    prompt: "p",
    promptVersion: "1",
    provider: "a",
    model: "m",
    ticketId: "T",
    variant: "baseline",
    blocks: [],
    measured,
    ...change,
  };
}

const options = { from: 0, coldMs: 0, costOf: ({ uncached, read }: { uncached: number; read: number }) => uncached + read / 10 };

describe("measureVersions", () => {
  it("weighs the hit ratio by tokens and sums cost by ticket, version by version", () => {
    const samples = [
      aSample({ ticketId: "A" }),
      aSample({ ticketId: "A", measured: { ...nothing, read: 900, uncached: 0 } }),
      aSample({ ticketId: "B", promptVersion: "2", measured: { ...nothing, read: 100 } }),
      (({ promptVersion: _none, ...rest }) => rest)(aSample({})),
    ];
    const [one, two] = measureVersions(samples, options);
    expect(one).toMatchObject({
      version: "1",
      requests: 2,
      tickets: 1,
      hit: 0.9,
      costPerRequestMicroUsd: 95,
    });
    expect(two).toMatchObject({ version: "2", requests: 1, hit: 1, costPerRequestMicroUsd: 10 });
  });

  it("leaves out what came before, and the first while of each version", () => {
    const samples = [5, 10, 14, 15, 30].map((at) => aSample({ at }));
    expect(measureVersions(samples, { ...options, from: 10, coldMs: 5 })[0]?.requests).toBe(2);
  });
});

describe("costRatioUpper", () => {
  const tickets = (mean: number, count: number, seed: number) => {
    const random = createRandom(seed);
    const samples = Array.from({ length: count }, (_, ticket) => {
      const uncached = Math.round(mean * 10 * (0.5 + random()));
      return Array.from({ length: 10 }, () => aSample({ ticketId: `T-${ticket}`, measured: { ...nothing, uncached } }));
    });
    const [measure] = measureVersions(samples.flat(), options);
    if (measure === undefined) throw new Error("Nothing was measured.");
    return measure;
  };

  it("is below 1 for what is clearly cheaper and not for what is equal", () => {
    expect(costRatioUpper(tickets(20, 30, 1), tickets(100, 30, 2))).toBeLessThan(0.3);
    expect(costRatioUpper(tickets(100, 30, 1), tickets(100, 30, 2))).toBeGreaterThan(1);
  });

  it("says nothing about a single ticket or about what cost nothing", () => {
    expect(costRatioUpper(tickets(1, 1, 1), tickets(1, 9, 1))).toBeUndefined();
    expect(costRatioUpper(tickets(1, 9, 1), tickets(0, 9, 1))).toBeUndefined();
  });

  it("covers the true ratio about as often as it says", () => {
    const uppers = Array.from(
      { length: 500 },
      (_, seed) => costRatioUpper(tickets(80, 20, seed * 2 + 1), tickets(100, 20, seed * 2 + 2)) ?? 0,
    );
    const share = uppers.filter((upper) => upper >= 0.8).length / uppers.length;
    expect(share).toBeGreaterThan(0.91);
    expect(share).toBeLessThan(0.98);
  });
});
