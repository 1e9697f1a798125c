import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { AdmissionRequestInput } from "../../packages/sdk/src/wire/admissions.ts";
import type { Budget } from "../../packages/sdk/src/wire/budgets.ts";
import { countStartsWhilePaused } from "../../src/llm/budgets/admission-log.ts";
import type { BudgetLedger, BudgetTimes } from "../../src/llm/budgets/budget-ledger.ts";
import { noLimits } from "../../src/llm/budgets/controls.ts";
import { aUsageEvent } from "../builders/a-usage-report.ts";
import type { FakeClock } from "../fakes/fake-clock.ts";
import { usageOf } from "./usage-of.ts";

/** Times of the contract's ledgers. */
export const contractTimes: BudgetTimes = { leaseMs: 60_000, minuteMs: 60_000, bucketMs: 10_000, retentionMs: 86_400_000 };

/** A ledger of its own for one test, on the times above, with room for three budgets, and the clock that it reads. */
export type LedgerFixture = { readonly ledger: BudgetLedger; readonly clock: FakeClock };

const usd = 1_000_000;

/** The specification of every ledger. `open` makes a fresh one. */
export function describeBudgetLedger(name: string, open: () => Promise<LedgerFixture>): void {
  const opened = async (change: Partial<Budget> = {}) => {
    const fixture = await open();
    const budget: Budget = { id: "checkout", limitMicroUsd: usd, periodMs: 3_600_000, periodStartsAt: Date.UTC(2026, 0, 5), ...change };
    await fixture.ledger.define(budget);
    return { ...fixture, budget };
  };
  const ask = (ticketId: string, change: Partial<AdmissionRequestInput> = {}): AdmissionRequestInput => ({
    ticketId,
    budget: "checkout",
    estimateMicroUsd: 10_000,
    ...change,
  });
  const reasonOf = async (ledger: BudgetLedger, request: AdmissionRequestInput) => {
    const answer = await ledger.admit(request);
    return answer.kind === "admitted" ? "admitted" : `${answer.kind} ${answer.reason}`;
  };
  const change = async (ledger: BudgetLedger, fields: Parameters<BudgetLedger["compareAndSet"]>[2]) => {
    const state = await ledger.read("checkout");
    return ledger.compareAndSet("checkout", state?.controls.version ?? 0, fields);
  };
  const moneyOf = async (ledger: BudgetLedger) => {
    const state = await ledger.read("checkout");
    return { spent: state?.spentMicroUsd, committed: state?.committedMicroUsd, running: state?.running };
  };

  describe(`${name} as a ledger of the workload`, () => {
    it("reserves at admission, settles through usage and releases at the end", async () => {
      const { ledger, clock } = await opened();
      expect(await reasonOf(ledger, ask("T-1"))).toBe("admitted");
      expect(await moneyOf(ledger)).toEqual({ spent: 0, committed: 10_000, running: 1 });
      await ledger.record([aUsageEvent({ id: "r1" }, clock.now())]);
      expect(await moneyOf(ledger)).toEqual({ spent: 3000, committed: 7000, running: 1 });
      await ledger.release({ ticketId: "T-1", budget: "checkout" });
      expect(await moneyOf(ledger)).toEqual({ spent: 3000, committed: 0, running: 0 });
    });

    it("renews the one lease of a ticket that asks again, with the new estimate instead of the old", async () => {
      const { ledger } = await opened();
      const first = await ledger.admit(ask("T-1"));
      const second = await ledger.admit(ask("T-1", { estimateMicroUsd: 20_000 }));
      expect(second).toEqual(first);
      expect(await moneyOf(ledger)).toEqual({ spent: 0, committed: 20_000, running: 1 });
      expect(await ledger.running("checkout")).toMatchObject([{ ticketId: "T-1", turn: 0 }]);
    });

    it("charges the reservation of an expired lease of which nothing was reported, and does not revive it", async () => {
      const { ledger, clock } = await opened();
      const answer = await ledger.admit(ask("T-1"));
      const leaseId = answer.kind === "admitted" ? answer.leaseId : "";
      await clock.advance(40_000);
      expect(await ledger.extend("checkout", leaseId)).toBe(true);
      await clock.advance(40_000);
      expect(await moneyOf(ledger)).toMatchObject({ committed: 10_000, running: 1 });
      await clock.advance(20_001);
      expect(await ledger.extend("checkout", leaseId)).toBe(false);
      expect(await moneyOf(ledger)).toEqual({ spent: 10_000, committed: 0, running: 0 });
    });

    it("counts a usage event once, however often it comes", async () => {
      const { ledger, clock } = await opened();
      const event = aUsageEvent({ id: "r1" }, clock.now());
      expect((await ledger.record([event, event])).map(({ kind }) => kind)).toEqual(["accepted", "duplicate"]);
      expect(await ledger.record([event])).toMatchObject([{ kind: "duplicate", changeMicroUsd: 0, event: { costMicroUsd: 3000 } }]);
      expect(await moneyOf(ledger)).toMatchObject({ spent: 3000 });
      expect(await ledger.recentUsage(10)).toEqual([event]);
    });

    it("answers the usage events of a window by when they ended, its end excluded, whatever the order in which they came", async () => {
      const { ledger, clock } = await opened();
      const now = clock.now();
      const events = [0, -5000, -3000, -1000].map((back, index) => aUsageEvent({ id: `r${index}`, at: now + back }, now));
      expect(await usageOf(ledger, now - 5000, now)).toEqual([]);
      expect(await ledger.usageKept(now - 5000, now)).toEqual({ count: 0, complete: true });
      await ledger.record(events);
      expect((await usageOf(ledger, now - 5000, now)).map(({ id }) => id)).toEqual(["r1", "r2", "r3"]);
      expect(await ledger.usageKept(now - 5000, now)).toEqual({ count: 3, complete: true });
      expect(await usageOf(ledger, now - 3000, now - 1000)).toEqual([events[2]]);
    });

    it("summarizes every budget as it is read alone", async () => {
      const { ledger, clock, budget } = await opened();
      await ledger.define({ ...budget, id: "basket", limitMicroUsd: 5 });
      await ledger.admit(ask("T-1", { queue: "slow" }));
      await ledger.admit(ask("T-2", { queue: "fast" }));
      await ledger.record([aUsageEvent({ id: "r1" }, clock.now())]);
      await change(ledger, { gate: "paused", reason: "burning", pausedUntil: clock.now() + 1000 });
      const alone = async () => {
        const states = await Promise.all(["basket", "checkout"].map(async (id) => ledger.read(id)));
        return states.map((state) => {
          const { running: _running, queued: _queued, batches: _batches, ...summary } = state ?? { running: 0, queued: 0, batches: [] };
          return summary;
        });
      };
      const summaries = await ledger.summaries();
      expect(summaries).toEqual(await alone());
      await ledger.admit(ask("T-3", { budget: "basket", batchId: "b", estimateMicroUsd: 1 }));
      const readAlone = async () => Promise.all(["basket", "checkout"].map(async (id) => ledger.read(id)));
      expect(await ledger.states()).toEqual(await readAlone());
      expect(await ledger.states()).toMatchObject([
        { running: 1, batches: ["b"] },
        { running: 2, batches: [] },
      ]);
      expect(summaries).toMatchObject([{ queues: [] }, { queues: ["fast", "slow"], controls: { gate: "paused" }, spentMicroUsd: 3000 }]);
      await clock.advance(budget.periodMs);
      await ledger.endExpiredLeases();
      const later = await ledger.summaries();
      expect(later).toMatchObject([{}, { committedMicroUsd: 0, spentMicroUsd: 0, controls: { gate: "open" } }]);
      expect(later).toEqual(await alone());
      expect(await ledger.states()).toEqual(await readAlone());
    });

    it("refuses a budget beyond the maximum, and redefines those that exist", async () => {
      const { ledger, budget } = await opened();
      expect(await ledger.define({ ...budget, id: "second" })).toEqual({ kind: "defined" });
      expect(await ledger.define({ ...budget, id: "third" })).toEqual({ kind: "defined" });
      expect(await ledger.define({ ...budget, id: "fourth" })).toEqual({ kind: "full", max: 3 });
      expect(await ledger.read("fourth")).toBeUndefined();
      expect(await ledger.define({ ...budget, limitMicroUsd: 7 })).toEqual({ kind: "defined" });
      expect((await ledger.read("checkout"))?.budget.limitMicroUsd).toBe(7);
    });

    it("says that a budget is unknown instead of making one up", async () => {
      const { ledger, clock } = await opened();
      expect(await reasonOf(ledger, ask("T-1", { budget: "nobodys" }))).toBe("stop unknown_budget");
      expect(await ledger.record([aUsageEvent({ id: "r1", budget: "nobodys" }, clock.now())])).toEqual([{ kind: "unknown_budget" }]);
      expect(await ledger.read("nobodys")).toBeUndefined();
      expect(await ledger.list()).toEqual(["checkout"]);
    });

    it("makes new tickets and turns wait while the gate is closed, and lets nobody start", async () => {
      const { ledger } = await opened();
      await ledger.admit(ask("T-1"));
      expect(await change(ledger, { gate: "paused", reason: "burning", by: "run:1" })).toMatchObject({ set: true });
      expect(await reasonOf(ledger, ask("T-1", { turn: 1 }))).toBe("wait budget_paused");
      expect(await reasonOf(ledger, ask("T-2"))).toBe("wait budget_paused");
      await change(ledger, { gate: "open", reason: "" });
      expect(await reasonOf(ledger, ask("T-2"))).toBe("admitted");
      expect(countStartsWhilePaused(await ledger.admissions(100), "checkout")).toBe(0);
    });

    it("lets nobody in between the closing of the gate and its opening, however many ask while it moves", async () => {
      const { ledger } = await opened();
      for (let round = 0; round < 10; round += 1) {
        const asking = Array.from({ length: 20 }, async (_, index) => ledger.admit(ask(`T-${round}-${index}`, { estimateMicroUsd: 1 })));
        const closed = await change(ledger, { gate: "paused", reason: "burning" });
        expect(closed.set).toBe(true);
        const late = await Promise.all(asking);
        expect(late.every(({ kind }) => kind !== "stop")).toBe(true);
        await change(ledger, { gate: "open", reason: "" });
      }
      expect(countStartsWhilePaused(await ledger.admissions(1000), "checkout")).toBe(0);
    });

    it("opens a pause that expires by itself", async () => {
      const { ledger, clock } = await opened();
      await change(ledger, { gate: "paused", reason: "burning", pausedUntil: clock.now() + 1000 });
      expect(await reasonOf(ledger, ask("T-1"))).toBe("wait budget_paused");
      await clock.advance(1000);
      expect(await reasonOf(ledger, ask("T-1"))).toBe("admitted");
      expect((await ledger.read("checkout"))?.controls.gate).toBe("open");
      expect(countStartsWhilePaused(await ledger.admissions(100), "checkout")).toBe(0);
    });

    it("stops only tickets whose lease began before stopBefore", async () => {
      const { ledger, clock } = await opened();
      await ledger.admit(ask("T-1"));
      await clock.advance(10);
      await change(ledger, { stopBefore: clock.now(), reason: "make room" });
      await ledger.admit(ask("T-2"));
      expect(await reasonOf(ledger, ask("T-1", { turn: 1 }))).toBe("stop stop_requested");
      expect(await reasonOf(ledger, ask("T-2", { turn: 1 }))).toBe("admitted");
    });

    it("changes controls by version only, and says when an equal change is already there", async () => {
      const { ledger } = await opened();
      const version = (await ledger.read("checkout"))?.controls.version ?? 0;
      const pause = { gate: "paused", reason: "a", by: "run:1" } as const;
      expect(await ledger.compareAndSet("checkout", version, pause)).toMatchObject({ set: true, controls: { version: version + 1 } });
      expect(await ledger.compareAndSet("checkout", version, pause)).toMatchObject({ set: true, controls: { version: version + 1 } });
      expect(await ledger.compareAndSet("checkout", version, { gate: "open" })).toMatchObject({ set: false, controls: { gate: "paused" } });
    });

    it("removes what a change sets to null and keeps what it does not name", async () => {
      const { ledger, clock } = await opened();
      await change(ledger, { gate: "paused", pausedUntil: clock.now() + 5000, stopBefore: clock.now() });
      const { controls } = await change(ledger, { pausedUntil: null });
      expect(controls).toMatchObject({ gate: "paused", stopBefore: clock.now() });
      expect(controls).not.toHaveProperty("pausedUntil");
    });

    it("stops a ticket that has cost more than one may, at its next turn", async () => {
      const { ledger, clock } = await opened();
      await change(ledger, { limits: { ...noLimits, perTicketCapMicroUsd: 5000 } });
      await ledger.admit(ask("T-1"));
      await ledger.record([aUsageEvent({ id: "r1" }, clock.now())]);
      expect(await reasonOf(ledger, ask("T-1", { turn: 1 }))).toBe("admitted");
      await ledger.record([aUsageEvent({ id: "r2" }, clock.now())]);
      expect(await reasonOf(ledger, ask("T-1", { turn: 2 }))).toBe("stop ticket_cap");
      expect(await reasonOf(ledger, ask("T-2"))).toBe("admitted");
    });

    it("makes turns wait for the next minute once this one has cost too much", async () => {
      const { ledger, clock } = await opened();
      await change(ledger, { limits: { ...noLimits, perMinuteCapMicroUsd: 3000 } });
      await ledger.admit(ask("T-1"));
      await clock.advance(20_000);
      await ledger.record([aUsageEvent({ id: "r1" }, clock.now())]);
      expect(await ledger.admit(ask("T-1", { turn: 1 }))).toMatchObject({ kind: "wait", reason: "minute_cap", retryAfterMs: 40_000 });
      await clock.advance(40_000);
      expect(await reasonOf(ledger, ask("T-1", { turn: 1 }))).toBe("admitted");
    });

    it("limits tickets in flight, tickets started per minute and attempts", async () => {
      const { ledger, clock } = await opened();
      await change(ledger, { limits: { ...noLimits, concurrency: 1, maxAttempts: 2 } });
      expect(await reasonOf(ledger, ask("T-1"))).toBe("admitted");
      expect(await reasonOf(ledger, ask("T-2"))).toBe("wait concurrency");
      expect(await reasonOf(ledger, ask("T-1", { attempt: 3 }))).toBe("stop attempts_exhausted");
      await change(ledger, { limits: { ...noLimits, ratePerMinute: 2 } });
      expect(await reasonOf(ledger, ask("T-2"))).toBe("admitted");
      expect(await reasonOf(ledger, ask("T-3"))).toBe("wait rate");
      expect(await reasonOf(ledger, ask("T-2", { turn: 1 }))).toBe("admitted");
      await clock.advance(60_000);
      expect(await reasonOf(ledger, ask("T-3"))).toBe("admitted");
    });

    it("shows its arithmetic when the budget is exhausted, and starts anew with the next period", async () => {
      const { ledger, clock } = await opened({ limitMicroUsd: 20_000 });
      expect(await reasonOf(ledger, ask("T-1"))).toBe("admitted");
      await ledger.record([aUsageEvent({ id: "r1" }, clock.now())]);
      expect(await ledger.admit(ask("T-2"))).toMatchObject({ kind: "admitted" });
      expect(await ledger.admit(ask("T-3"))).toMatchObject({
        kind: "wait",
        reason: "budget_exhausted",
        detail: "$0.0030 spent + $0.0170 reserved + $0.0100 estimated = $0.0300, more than the limit $0.0200.",
      });
      expect(await reasonOf(ledger, ask("T-1", { turn: 1 }))).toBe("stop budget_exhausted");
      await clock.advance(3_600_000);
      expect(await moneyOf(ledger)).toEqual({ spent: 0, committed: 0, running: 0 });
      expect(await reasonOf(ledger, ask("T-3"))).toBe("admitted");
    });

    it("keeps spend and controls when a budget is defined anew", async () => {
      const { ledger, clock, budget } = await opened();
      await ledger.record([aUsageEvent({ id: "r1" }, clock.now())]);
      await change(ledger, { gate: "paused", reason: "r" });
      await ledger.define({ ...budget, limitMicroUsd: 2 * usd });
      expect(await ledger.read("checkout")).toMatchObject({
        budget: { limitMicroUsd: 2 * usd },
        spentMicroUsd: 3000,
        controls: { gate: "paused" },
      });
    });

    it("stops a ticket that was cancelled", async () => {
      const { ledger } = await opened();
      await ledger.admit(ask("T-1"));
      await ledger.cancelTicket("checkout", "T-1");
      expect(await reasonOf(ledger, ask("T-1", { turn: 1 }))).toBe("stop ticket_cancelled");
    });

    it("ends a ticket once, with what it cost and how long it took", async () => {
      const { ledger, clock } = await opened();
      await ledger.admit(ask("T-1"));
      await ledger.record([aUsageEvent({ id: "r1", attempt: 2 }, clock.now())]);
      await clock.advance(5000);
      const end = { ticketId: "T-1", budget: "checkout", outcome: "succeeded" } as const;
      expect(await ledger.finish(end)).toMatchObject({ costMicroUsd: 3000, durationMs: 5000, attempts: 2, outcome: "succeeded" });
      expect(await ledger.finish(end)).toBeUndefined();
      expect(await moneyOf(ledger)).toMatchObject({ committed: 0, running: 0 });
    });

    it("sums spend by row over a window of whole buckets, dearest first, a ticket counted once", async () => {
      const { ledger, clock } = await opened();
      const start = clock.now();
      await ledger.record([
        aUsageEvent({ id: "r1" }, start),
        aUsageEvent({ id: "r2", attempt: 2 }, start),
        aUsageEvent({ id: "r3", prompt: "judge", ticketId: "T-2" }, start),
      ]);
      await clock.advance(15_000);
      await ledger.record([aUsageEvent({ id: "r4" }, clock.now()), aUsageEvent({ id: "r5", model: "secret-9" }, clock.now())]);
      expect(await ledger.spend("checkout", start, start + 20_000)).toMatchObject([
        { model: "secret-9", costMicroUsd: 50_000, estimatedMicroUsd: 50_000, unpricedTokens: 1000 },
        { prompt: "planner", model: "claude-sonnet-4-5", costMicroUsd: 9000, requests: 3, tickets: 1, attempts: 2, inputTokens: 3000 },
        { prompt: "judge", costMicroUsd: 3000, requests: 1, tickets: 1, attempts: 1 },
      ]);
      expect(await ledger.spend("checkout", start, start + 10_000)).toHaveLength(2);
      expect(await ledger.spend("checkout", start + 60_000, start + 120_000)).toEqual([]);
    });

    it("never lets spent + reserved pass the limit, whoever asks at the same time and whatever is settled meanwhile", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ estimate: fc.integer({ min: 1, max: 9000 }), share: fc.double({ min: 0, max: 1, noNaN: true }) }), {
            minLength: 5,
            maxLength: 40,
          }),
          fc.integer({ min: 5000, max: 60_000 }),
          async (tickets, limitMicroUsd) => {
            const { ledger, clock } = await opened({ limitMicroUsd });
            const within = async () => {
              const { spent = 0, committed = 0 } = await moneyOf(ledger);
              expect(spent + committed).toBeLessThanOrEqual(limitMicroUsd);
              expect(committed).toBeGreaterThanOrEqual(0);
            };
            await Promise.all(
              tickets.map(async ({ estimate, share }, index) => {
                const answer = await ledger.admit(ask(`T-${index}`, { estimateMicroUsd: estimate }));
                if (answer.kind !== "admitted") return;
                await within();
                // At $3 per million tokens one token costs 3 micro-USD: the real cost stays within the estimate.
                const usage = { uncached: Math.floor((estimate * share) / 3), output: 0 };
                await ledger.record([aUsageEvent({ id: `r${index}`, ticketId: `T-${index}`, usage }, clock.now())]);
                await ledger.release({ ticketId: `T-${index}`, budget: "checkout" });
                await within();
              }),
            );
            expect(await moneyOf(ledger)).toMatchObject({ committed: 0, running: 0 });
          },
        ),
        { numRuns: 12 },
      );
    });
  });
}
