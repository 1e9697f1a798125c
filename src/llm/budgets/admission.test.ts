import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { type AdmissionRequestInput, admissionRequestSchema } from "../../../packages/sdk/src/wire/admissions.ts";
import { aBatchFacts } from "../../../test/builders/a-batch-facts.ts";
import { type AdmissionFacts, afterStop, decideAdmission, effectiveControls } from "./admission.ts";
import { noLimits, openControls } from "./controls.ts";

const now = Date.UTC(2026, 0, 5, 12, 0, 20);
const lease = { leaseId: "l", since: now - 1000, reservedMicroUsd: 100 };

function someFacts(change: Partial<AdmissionFacts> = {}): AdmissionFacts {
  return {
    limitMicroUsd: 1_000_000,
    controls: { ...openControls, version: 1 },
    spentMicroUsd: 0,
    committedMicroUsd: 0,
    running: 0,
    startedThisMinute: 0,
    spentThisMinuteMicroUsd: 0,
    ticketSpentMicroUsd: 0,
    ticketCancelled: false,
    ticketBegun: false,
    minuteMs: 60_000,
    periodEndsAt: now + 3_600_000,
    ...change,
  };
}
const limited = (limits: Partial<typeof noLimits>) => ({ ...openControls, version: 1, limits: { ...noLimits, ...limits } });
const decide = (facts: Partial<AdmissionFacts>, request: Partial<AdmissionRequestInput> = {}) => {
  const parsed = admissionRequestSchema.parse({ ticketId: "T", budget: "b", estimateMicroUsd: 100, ...request });
  const decision = decideAdmission(parsed, someFacts(facts), now);
  return decision.kind === "admit" ? "admit" : `${decision.kind} ${decision.reason}`;
};
const paused = { ...openControls, version: 1, gate: "paused", reason: "burning" } as const;

describe("decideAdmission", () => {
  it.each([
    ["admit", {}, {}],
    ["admit", { lease, running: 1, committedMicroUsd: 100 }, { turn: 1 }],
    ["stop ticket_cancelled", { ticketCancelled: true, controls: paused }, {}],
    ["stop stop_requested", { lease, controls: { ...paused, stopBefore: now } }, { turn: 1 }],
    ["wait budget_paused", { lease: { ...lease, since: now + 1 }, controls: { ...paused, stopBefore: now } }, { turn: 1 }],
    ["wait budget_paused", { controls: { ...paused, stopBefore: now } }, {}],
    ["admit", { controls: { ...paused, pausedUntil: now } }, {}],
    ["wait budget_paused", { controls: { ...paused, pausedUntil: now + 1 } }, {}],
    ["stop attempts_exhausted", { controls: limited({ maxAttempts: 1 }) }, { attempt: 2 }],
    ["admit", { controls: limited({ maxAttempts: 2 }) }, { attempt: 2 }],
    ["stop ticket_cap", { ticketSpentMicroUsd: 11, controls: limited({ perTicketCapMicroUsd: 10 }) }, {}],
    ["admit", { ticketSpentMicroUsd: 10, controls: limited({ perTicketCapMicroUsd: 10 }) }, {}],
    [
      "stop ticket_cap",
      {
        ticketSpentMicroUsd: 11,
        controls: limited({ perTicketCapMicroUsd: 99 }),
        batch: aBatchFacts({ limits: { perTicketCapMicroUsd: 10 } }),
      },
      {},
    ],
    ["wait batch_paused", { batch: aBatchFacts({ gate: "paused" }) }, {}],
    ["wait minute_cap", { lease, spentThisMinuteMicroUsd: 10, controls: limited({ perMinuteCapMicroUsd: 10 }) }, { turn: 3 }],
    ["wait budget_exhausted", { spentMicroUsd: 999_901 }, {}],
    ["admit", { spentMicroUsd: 999_900 }, {}],
    ["wait budget_exhausted", { spentMicroUsd: 999_000, committedMicroUsd: 901 }, {}],
    ["stop budget_exhausted", { spentMicroUsd: 999_901, lease, committedMicroUsd: 100 }, { turn: 1 }],
    ["admit", { spentMicroUsd: 999_900, lease, committedMicroUsd: 100 }, { turn: 1 }],
    ["wait batch_exhausted", { batch: aBatchFacts({ spentMicroUsd: 50, limits: { maxCostMicroUsd: 149 } }) }, {}],
    [
      "stop batch_exhausted",
      { lease, batch: aBatchFacts({ inFlightMicroUsd: 100, spentMicroUsd: 50, limits: { maxCostMicroUsd: 149 } }) },
      { turn: 1 },
    ],
    ["wait batch_exhausted", { batch: aBatchFacts({ spentMicroUsd: 20, inFlightMicroUsd: 30, limits: { maxCostMicroUsd: 149 } }) }, {}],
    [
      "admit",
      { lease, committedMicroUsd: 100, batch: aBatchFacts({ inFlightMicroUsd: 149, limits: { maxCostMicroUsd: 149 } }) },
      { turn: 1 },
    ],
    ["admit", { spentMicroUsd: 999_000, committedMicroUsd: 1000, batch: aBatchFacts({ reservedMicroUsd: 100 }) }, {}],
    ["wait budget_exhausted", { spentMicroUsd: 999_000, committedMicroUsd: 1000, batch: aBatchFacts({ reservedMicroUsd: 99 }) }, {}],
    ["stop batch_cancelled", { controls: paused, batch: aBatchFacts({ state: "cancelled" }) }, {}],
    ["stop batch_cancelled", { lease, batch: aBatchFacts({ state: "cancelled" }) }, { turn: 1 }],
    ["wait batch_draft", { batch: aBatchFacts({ state: "draft" }) }, {}],
    ["wait batch_deadline", { batch: aBatchFacts({ limits: { deadlineAt: now } }) }, {}],
    ["admit", { batch: aBatchFacts({ limits: { deadlineAt: now + 1 } }) }, {}],
    ["admit", { lease, batch: aBatchFacts({ limits: { deadlineAt: now } }) }, { turn: 1 }],
    ["wait batch_failures", { ticketBegun: true, batch: aBatchFacts({ succeeded: 16, unsuccessful: 4 }) }, {}],
    ["admit", { batch: aBatchFacts({ succeeded: 15, unsuccessful: 4 }) }, {}],
    ["admit", { batch: aBatchFacts({ succeeded: 17, unsuccessful: 4 }) }, {}],
    ["admit", { batch: aBatchFacts({ begun: 4, limits: { pilotTickets: 5 } }) }, {}],
    ["wait batch_leading", { batch: aBatchFacts({ begun: 5, limits: { pilotTickets: 5 } }) }, {}],
    ["admit", { ticketBegun: true, batch: aBatchFacts({ begun: 5, limits: { pilotTickets: 5 } }) }, {}],
    // One of the five was cancelled, so that another goes ahead in its place.
    ["admit", { batch: aBatchFacts({ begun: 5, begunEnded: 1, limits: { pilotTickets: 5 } }) }, {}],
    ["wait batch_leading", { batch: aBatchFacts({ begun: 5, begunEnded: 4, succeeded: 4, limits: { pilotTickets: 5 } }) }, {}],
    ["admit", { batch: aBatchFacts({ begun: 5, begunEnded: 5, succeeded: 3, unsuccessful: 2, limits: { pilotTickets: 5 } }) }, {}],
    [
      "wait batch_leading_failed",
      { batch: aBatchFacts({ begun: 5, begunEnded: 5, succeeded: 2, unsuccessful: 3, limits: { pilotTickets: 5 } }) },
      {},
    ],
    ["admit", { batch: aBatchFacts({ pilotPassed: true, begun: 9, succeeded: 3, unsuccessful: 5, limits: { pilotTickets: 5 } }) }, {}],
    ["wait batch_concurrency", { batch: aBatchFacts({ running: 8, limits: { concurrency: 8 } }) }, {}],
    ["wait batch_rate", { batch: aBatchFacts({ startedThisMinute: 3, limits: { ratePerMinute: 3 } }) }, {}],
    ["wait concurrency", { running: 2, controls: limited({ concurrency: 2 }) }, {}],
    ["admit", { running: 5, lease, controls: limited({ concurrency: 2, ratePerMinute: 0 }) }, { turn: 1 }],
    ["wait rate", { startedThisMinute: 3, controls: limited({ ratePerMinute: 3 }) }, {}],
    ["wait concurrency", { controls: limited({ concurrency: 0 }) }, {}],
  ] as const)("answers %s", (answer, facts, request) => {
    expect(decide(facts, request)).toBe(answer);
  });

  it("asks to come back when the minute is over, and no later than a pause ends", () => {
    const request = admissionRequestSchema.parse({ ticketId: "T", budget: "b", estimateMicroUsd: 1 });
    const rate = someFacts({ startedThisMinute: 3, controls: limited({ ratePerMinute: 3 }) });
    expect(decideAdmission(request, rate, now)).toMatchObject({ retryAfterMs: 40_000 });
    const pause = someFacts({ controls: { ...paused, pausedUntil: now + 700 } });
    expect(decideAdmission(request, pause, now)).toMatchObject({ retryAfterMs: 700 });
  });

  it("never admits while the gate is closed, over the limit, or over a cap, whatever else holds", () => {
    const amount = fc.integer({ min: 0, max: 2000 });
    const maybe = fc.option(amount, { nil: null });
    fc.assert(
      fc.property(
        fc.record({ spent: amount, committed: amount, ticket: amount, minute: amount, estimate: amount, running: amount, limit: amount }),
        fc.record({ cap: maybe, minuteCap: maybe, concurrency: maybe }),
        fc.constantFrom("open", "paused"),
        fc.boolean(),
        (money, { cap, minuteCap, concurrency }, gate, inFlight) => {
          const own = inFlight ? Math.min(money.committed, 50) : 0;
          const answer = decide(
            {
              limitMicroUsd: money.limit,
              spentMicroUsd: money.spent,
              committedMicroUsd: money.committed,
              ticketSpentMicroUsd: money.ticket,
              spentThisMinuteMicroUsd: money.minute,
              running: money.running,
              controls: {
                ...limited({ perTicketCapMicroUsd: cap, perMinuteCapMicroUsd: minuteCap, concurrency }),
                gate: gate === "open" ? "open" : "paused",
              },
              ...(inFlight ? { lease: { ...lease, reservedMicroUsd: own } } : {}),
            },
            { estimateMicroUsd: money.estimate },
          );
          if (answer !== "admit") return;
          expect(gate).toBe("open");
          expect(money.spent + money.committed - own + money.estimate).toBeLessThanOrEqual(money.limit);
          expect(money.ticket).toBeLessThanOrEqual(cap ?? Number.POSITIVE_INFINITY);
          expect(money.minute).toBeLessThan(minuteCap ?? Number.POSITIVE_INFINITY);
          expect(inFlight || money.running < (concurrency ?? Number.POSITIVE_INFINITY)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("afterStop", () => {
  it("lets only what cannot go on end", () => {
    expect(afterStop("attempts_exhausted")).toBe("dead");
    expect(afterStop("ticket_cancelled")).toBe("cancelled");
    expect(afterStop("ticket_cap")).toBe("waiting");
    expect(afterStop("stop_requested")).toBe("waiting");
  });
});

describe("effectiveControls", () => {
  it("takes an expired pause as open and says so", () => {
    const controls = effectiveControls({ ...paused, pausedUntil: now }, now);
    expect(controls).toMatchObject({ gate: "open", reason: "the pause ended by itself; it was: burning" });
    expect(effectiveControls(paused, now)).toBe(paused);
  });
});
