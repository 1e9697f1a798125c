import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { type CostEvent, createCostWindow } from "./cost-window.ts";

const name = fc.constantFrom("a", "b", "c");
const amount = fc.integer({ min: 1, max: 1000 });
const event: fc.Arbitrary<CostEvent> = fc.record({
  at: fc.integer({ min: 0, max: 99 }),
  dims: fc.record({ model: name, prompt: name, batch: name }, { requiredKeys: ["model"] }),
  ticketId: fc.constantFrom("T-1", "T-2", "1", "1 T-1"),
  attempt: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 29, max: 70 }), fc.constant(10_000)),
  costMicroUsd: amount,
  inputCostMicroUsd: amount,
  inputPrice: fc.constant(1_000_000),
  inputTokens: amount,
  outputTokens: amount,
  unpricedTokens: amount,
});
const events = fc.array(event, { maxLength: 80 });

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const isWithin = ({ dims }: CostEvent, segment: CostEvent["dims"]) =>
  (["model", "prompt", "batch"] as const).every((dimension) => {
    const element = segment[dimension];
    return element === undefined || (dims[dimension] ?? "none") === element;
  });

describe("whatever the events", () => {
  it("a segment is the events that have all its elements, in whatever order it is asked for", () => {
    const asked = fc.record(
      { model: name, prompt: fc.constantFrom("a", "none"), batch: fc.constantFrom("b", "none") },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(events, fc.array(asked, { maxLength: 5 }), (all, segments) => {
        const window = createCostWindow(all);
        for (const segment of segments) {
          const own = all.filter((one) => isWithin(one, segment));
          expect(window.total(segment)).toEqual({ events: own.length, costMicroUsd: sum(own.map(({ costMicroUsd }) => costMicroUsd)) });
          const costs = new Map<string, number>();
          for (const { dims, costMicroUsd } of own)
            costs.set(dims.prompt ?? "none", (costs.get(dims.prompt ?? "none") ?? 0) + costMicroUsd);
          expect(window.costBy("prompt", segment)).toEqual(costs);
        }
      }),
    );
  });

  it("the sums of a model count each ticket once, and each attempt of a ticket once, also the hundredth", () => {
    fc.assert(
      fc.property(events, (all) => {
        const factors = createCostWindow(all).factors({});
        expect(sum([...factors.values()].map(({ requests }) => requests))).toBe(all.length);
        for (const [model, sums] of factors) {
          const own = all.filter(({ dims }) => dims.model === model);
          expect(sums).toEqual({
            tickets: new Set(own.map(({ ticketId }) => ticketId)).size,
            attempts: new Set(own.map(({ ticketId, attempt }) => JSON.stringify([ticketId, attempt]))).size,
            requests: own.length,
            inputTokens: sum(own.map(({ inputTokens }) => inputTokens)),
            inputCostMicroUsd: sum(own.map(({ inputCostMicroUsd }) => inputCostMicroUsd)),
            listCostMicroUsd: sum(own.map(({ inputTokens }) => inputTokens)),
            costMicroUsd: sum(own.map(({ costMicroUsd }) => costMicroUsd)),
          });
        }
      }),
    );
  });
});

it("an event that cannot be counted spoils nothing", () => {
  const good: CostEvent = {
    at: 0,
    dims: { model: "m" },
    ticketId: "T-1",
    attempt: 1,
    costMicroUsd: 5,
    inputCostMicroUsd: 3,
    inputPrice: 1_000_000,
    inputTokens: 7,
    outputTokens: 2,
    unpricedTokens: 0,
  };
  const broken = { ...good, costMicroUsd: Number.NaN, inputCostMicroUsd: -1, inputTokens: Number.POSITIVE_INFINITY, outputTokens: -4 };
  const window = createCostWindow([good, broken]);
  expect(window).toMatchObject({ events: 2, costMicroUsd: 5, inputTokens: 7, tokens: 9 });
  expect(window.factors({}).get("m")).toMatchObject({ requests: 2, inputTokens: 7, inputCostMicroUsd: 3, costMicroUsd: 5 });
  expect(window.series(0, 10, 2)).toEqual([5, 0]);
});
