import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { adaptConcurrency, type ConcurrencyState } from "./adapt-concurrency.ts";

const minute = 60_000;
const rules = { maxConcurrency: 8, cleanMs: 5 * minute, settleMs: minute };
const at = (limit: number, more: Partial<ConcurrencyState> = {}): ConcurrencyState => ({ limit, cleanSince: 0, ...more });

describe("adaptive concurrency", () => {
  it("halves above 5 % of 429s, and not at 5 %", () => {
    expect(adaptConcurrency(at(8), { requests: 100, rateLimited: 6, now: minute }, rules)).toMatchObject({
      kind: "halve",
      state: { limit: 4, halvedAt: minute },
    });
    expect(adaptConcurrency(at(8), { requests: 100, rateLimited: 5, now: minute }, rules)).toMatchObject({
      kind: "stay",
      state: { limit: 8 },
    });
  });

  it("does not cut again before the last cut can have shown, and never below one", () => {
    const cut = at(4, { halvedAt: minute, cleanSince: minute });
    expect(adaptConcurrency(cut, { requests: 50, rateLimited: 25, now: 2 * minute - 1 }, rules)).toMatchObject({
      kind: "stay",
      state: { limit: 4 },
    });
    expect(adaptConcurrency(cut, { requests: 50, rateLimited: 25, now: 2 * minute }, rules)).toMatchObject({
      kind: "halve",
      state: { limit: 2 },
    });
    expect(adaptConcurrency(at(1), { requests: 50, rateLimited: 50, now: 9 * minute }, rules)).toMatchObject({
      kind: "stay",
      state: { limit: 1 },
    });
  });

  it("adds one per clean five minutes up to what was configured, and a 429 storm starts the five minutes anew", () => {
    expect(adaptConcurrency(at(4), { requests: 30, rateLimited: 0, now: 5 * minute - 1 }, rules).state.limit).toBe(4);
    const raised = adaptConcurrency(at(4), { requests: 30, rateLimited: 1, now: 5 * minute }, rules);
    expect(raised).toMatchObject({ kind: "raise", state: { limit: 5, cleanSince: 5 * minute } });
    expect(adaptConcurrency(raised.state, { requests: 30, rateLimited: 0, now: 9 * minute }, rules).kind).toBe("stay");
    expect(adaptConcurrency(at(8), { requests: 30, rateLimited: 0, now: 99 * minute }, rules)).toMatchObject({
      kind: "stay",
      state: { limit: 8 },
    });
  });

  it("waits for more requests before it judges a single 429, and does not wait when three of a few were refused", () => {
    expect(adaptConcurrency(at(8), { requests: 10, rateLimited: 1, now: minute }, rules).kind).toBe("wait");
    expect(adaptConcurrency(at(8), { requests: 6, rateLimited: 3, now: minute }, rules).kind).toBe("halve");
  });

  it("stays between one and what is configured, whatever it sees", () => {
    const looks = fc.array(fc.record({ requests: fc.nat(200), refused: fc.nat(200), passMs: fc.nat(10 * minute) }), { maxLength: 50 });
    fc.assert(
      fc.property(looks, fc.integer({ min: 1, max: 64 }), (seen, most) => {
        let state = at(most);
        let now = 0;
        for (const { requests, refused, passMs } of seen) {
          now += passMs;
          const before = state.limit;
          const move = adaptConcurrency(
            state,
            { requests, rateLimited: Math.min(refused, requests), now: now },
            {
              ...rules,
              maxConcurrency: most,
            },
          );
          state = move.state;
          expect(state.limit).toBeGreaterThanOrEqual(1);
          expect(state.limit).toBeLessThanOrEqual(most);
          expect(state.limit - before).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
