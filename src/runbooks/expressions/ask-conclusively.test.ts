import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { askConclusively } from "./ask-conclusively.ts";

const query = "sum(weight) > 0";

/** A sample from `at` on that queries see from `visibleAt` on; undefined: the process did not answer that scrape, and its series are gone. */
interface Scrape {
  readonly at: number;
  readonly visibleAt: number;
  readonly value: number | undefined;
}

/** A Prometheus whose clock moves on with every query. */
function prometheus(scrapes: readonly Scrape[], { startsAt, perQuery }: { readonly startsAt: number; readonly perQuery: number }) {
  let now = startsAt;
  const valueAt = (at: number) =>
    scrapes
      .filter((scrape) => scrape.visibleAt <= now && scrape.at <= at)
      .toSorted((a, b) => a.at - b.at)
      .at(-1)?.value;
  const asked: { readonly promql: string; readonly at: number | undefined }[] = [];
  const ask = async (promql: string, at?: number) => {
    asked.push({ promql, at });
    const moment = at ?? now;
    const value = valueAt(moment);
    now += perQuery;
    const isThere = value !== undefined && (promql.startsWith("count(") || value > 0);
    return { kind: "samples" as const, samples: isThere ? [{ at: moment }] : [] };
  };
  return { asked, ask };
}

describe("an empty answer", () => {
  it("is an answer where the series exist", async () => {
    const { ask } = prometheus([{ at: 0, visibleAt: 0, value: 0 }], { startsAt: 100, perQuery: 10 });
    expect(await askConclusively(query, { ask })).toEqual({ kind: "samples", samples: [] });
  });

  it("names the series that do not exist", async () => {
    const { ask } = prometheus([], { startsAt: 100, perQuery: 10 });
    expect(await askConclusively(query, { ask })).toEqual({ kind: "missing", reason: "No series weight{}" });
  });

  it("is asked for again where a scrape brings the series back meanwhile", async () => {
    const scrapes = [
      { at: 0, visibleAt: 0, value: undefined },
      { at: 105, visibleAt: 105, value: 1 },
    ];
    const { ask } = prometheus(scrapes, { startsAt: 100, perQuery: 10 });
    expect(await askConclusively(query, { ask })).toEqual({ kind: "samples", samples: [{ at: 110 }] });
  });

  it("is no answer where a scrape that began before is seen late and had no series", async () => {
    const scrapes = [
      { at: 0, visibleAt: 0, value: undefined },
      { at: 105, visibleAt: 105, value: 1 },
      { at: 108, visibleAt: 120, value: undefined },
    ];
    const { ask } = prometheus(scrapes, { startsAt: 100, perQuery: 10 });
    expect(await askConclusively(query, { ask })).toEqual({ kind: "missing", reason: "No series weight{}" });
  });

  it("of the past is asked for at that moment only", async () => {
    const { ask, asked } = prometheus([{ at: 0, visibleAt: 0, value: 0 }], { startsAt: 100, perQuery: 10 });
    await askConclusively(query, { ask, at: 50 });
    expect(new Set(asked.map(({ at }) => at))).toEqual(new Set([50]));
  });

  it("is never believed while every scrape that was answered says otherwise", async () => {
    const scrape = fc.record({ at: fc.integer({ min: 0, max: 300 }), late: fc.integer({ min: 0, max: 20 }), answered: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(scrape, { maxLength: 8 }), fc.integer({ min: 1, max: 20 }), async (some, perQuery) => {
        // Scrapes of one process follow each other: each is seen before the next one begins.
        let end = 0;
        const scrapes = some
          .toSorted((a, b) => a.at - b.at)
          .map(({ at, late, answered }) => {
            const from = Math.max(at, end + 60);
            end = from + late;
            return { at: from, visibleAt: end, value: answered ? 1 : undefined };
          });
        const { ask } = prometheus(scrapes, { startsAt: 100, perQuery });
        const answer = await askConclusively(query, { ask });
        expect(answer).not.toEqual({ kind: "samples", samples: [] });
      }),
      { numRuns: 500 },
    );
  });
});

it("does not look for series that may be missing", async () => {
  const { ask, asked } = prometheus([], { startsAt: 100, perQuery: 10 });
  const answer = await askConclusively('ALERTS{alertname="Hot"}', { ask, mayBeMissing: (selector) => selector.startsWith("ALERTS{") });
  expect(answer).toEqual({ kind: "samples", samples: [] });
  expect(asked).toHaveLength(1);
});
