import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { ticketStates } from "../../../packages/sdk/src/wire/tickets.ts";
import { progressSlotMs } from "../tickets/ticket.ts";
import { batchProgress } from "./batch-progress.ts";

const none = { queued: 0, running: 0, waiting: 0, succeeded: 0, failed: 0, dead: 0, cancelled: 0, quarantined: 0 };
const slot = 1000;
const now = slot * progressSlotMs + 5000;
const slots = (...counts: readonly number[]) => new Map(counts.map((count, index) => [slot - counts.length + index, count]));
const facts = (change: Partial<Parameters<typeof batchProgress>[0]>) => ({
  counts: none,
  spentMicroUsd: 0,
  p50MicroUsd: 1000,
  endedBySlot: new Map<number, number>(),
  ...change,
});

describe("the progress of a batch", () => {
  it("divides what remains by the median throughput", () => {
    const progress = batchProgress(
      facts({ counts: { ...none, queued: 30, succeeded: 10 }, spentMicroUsd: 20_000, endedBySlot: slots(2, 2, 50, 2, 0) }),
      now,
    );
    expect(progress).toEqual({ tickets: 40, ended: 10, succeeded: 10, perMinute: 12, etaAt: now + 150_000, forecastMicroUsd: 80_000 });
  });

  it("takes the mean when most slots are empty, and does not count the slot that is not over", () => {
    expect(batchProgress(facts({ counts: { ...none, running: 1, succeeded: 1 }, endedBySlot: slots(1, 0, 0) }), now).perMinute).toBe(2);
    expect(
      batchProgress(
        facts({
          counts: { ...none, running: 1 },
          endedBySlot: new Map([
            [slot - 1, 3],
            [slot, 1],
          ]),
        }),
        now,
      ).perMinute,
    ).toBe(18);
  });

  it("cannot tell before the first ticket has ended, and forecasts from the estimate then", () => {
    expect(batchProgress(facts({ counts: { ...none, queued: 5 } }), now)).toMatchObject({
      perMinute: null,
      etaAt: null,
      forecastMicroUsd: 5000,
    });
    const old = new Map([[slot - 181, 9]]);
    expect(batchProgress(facts({ counts: { ...none, queued: 5, failed: 9 }, endedBySlot: old }), now).perMinute).toBeNull();
  });

  it("is through when every ticket has ended, and costs what it has cost", () => {
    expect(batchProgress(facts({ counts: { ...none, succeeded: 4, dead: 1 }, spentMicroUsd: 7 }), now)).toMatchObject({
      ended: 5,
      etaAt: now,
      forecastMicroUsd: 7,
    });
  });

  it("never forecasts less than was spent, nor an end in the past", () => {
    const count = fc.nat(500);
    fc.assert(
      fc.property(
        fc.record(Object.fromEntries(ticketStates.map((state) => [state, count]))),
        fc.nat(),
        fc.array(fc.nat(20), { maxLength: 200 }),
        (counts, spentMicroUsd, ended) => {
          const progress = batchProgress(facts({ counts: { ...none, ...counts }, spentMicroUsd, endedBySlot: slots(...ended) }), now);
          expect(progress.forecastMicroUsd).toBeGreaterThanOrEqual(spentMicroUsd);
          expect(progress.etaAt ?? now).toBeGreaterThanOrEqual(now);
          expect(progress.perMinute ?? 1).toBeGreaterThan(0);
        },
      ),
    );
  });
});
