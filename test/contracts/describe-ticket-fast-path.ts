import { describe, expect, it } from "@jest/globals";
import { type NewTicketInput, newTicketSchema } from "../../packages/sdk/src/wire/tickets.ts";
import type { BudgetLedger, FinishedTicket } from "../../src/llm/budgets/budget-ledger.ts";
import { noLimits } from "../../src/llm/budgets/controls.ts";
import { recoveryReason, type TicketRecovery, type TicketStore } from "../../src/llm/tickets/ticket.ts";
import type { TicketFastPath } from "../../src/llm/tickets/ticket-fast-path.ts";
import type { FakeClock } from "../fakes/fake-clock.ts";

/** A fast path with what it works on. `ended` grows by every ticket whose end is published. */
export interface FastPathBench {
  readonly clock: FakeClock;
  readonly store: TicketStore & TicketRecovery;
  readonly ledger: BudgetLedger;
  readonly fastPath: TicketFastPath;
  readonly ended: readonly FinishedTicket[];
}

/** The specification of every fast path of tickets. `open` makes a fresh one without budgets and tickets. */
export function describeTicketFastPath(name: string, open: () => Promise<FastPathBench>): void {
  const place = { id: "GH-1", budget: "checkout", queue: "default" };
  const openWith = async (change: Partial<NewTicketInput> = {}) => {
    const bench = await open();
    const { store, ledger } = bench;
    await ledger.define({ id: "checkout", limitMicroUsd: 10_000, periodMs: 3_600_000, periodStartsAt: 0 });
    await store.add(newTicketSchema.parse({ id: "GH-1", budget: "checkout", payload: { issue: 7 }, estimateMicroUsd: 4000, ...change }));
    const set = async (fields: Parameters<typeof ledger.compareAndSet>[2]) =>
      ledger.compareAndSet("checkout", (await ledger.read("checkout"))?.controls.version ?? 0, fields);
    return { ...bench, set };
  };

  describe(`${name} as a fast path of tickets`, () => {
    it("takes, admits and starts a ticket at once", async () => {
      const { store, ledger, fastPath, clock } = await openWith();
      const begun = await fastPath.begin(place, "a");
      expect(begun?.answer).toMatchObject({ kind: "admitted", leaseId: expect.any(String), leaseMs: expect.any(Number) });
      expect(begun?.ticket).toEqual(await store.get("GH-1"));
      expect(begun?.ticket).toMatchObject({ state: "running", reason: "", payload: { issue: 7 }, attempt: 1, turn: 0 });
      expect(await ledger.read("checkout")).toMatchObject({ committedMicroUsd: 4000, running: 1, queues: ["default"] });
      expect(await ledger.running("checkout")).toMatchObject([{ ticketId: "GH-1", since: clock.now(), turn: 0 }]);
      expect(await ledger.admissions(10)).toMatchObject([{ kind: "admitted", ticketId: "GH-1", starts: true }]);
      expect(await store.write("GH-1", "a", { turn: 1 })).toBe(true);
      expect(await store.write("GH-1", "b", { turn: 2 })).toBe(false);
    });

    it.each([
      ["a budget that is paused", { gate: "paused" as const, reason: "burning" }],
      ["more attempts than there may be", { limits: { ...noLimits, maxAttempts: 0 } }],
      ["no ticket that may be in flight", { limits: { ...noLimits, concurrency: 0 } }],
      ["no ticket that may start this minute", { limits: { ...noLimits, ratePerMinute: 0 } }],
      ["a minute that may cost nothing", { limits: { ...noLimits, perMinuteCapMicroUsd: 0 } }],
    ])("leaves a ticket as it is for %s", async (_what, change) => {
      const { store, ledger, fastPath, set } = await openWith();
      await set(change);
      const before = await Promise.all([store.get("GH-1"), ledger.read("checkout"), ledger.admissions(10)]);
      expect(await fastPath.begin(place, "a")).toBeUndefined();
      expect(await Promise.all([store.get("GH-1"), ledger.read("checkout"), ledger.admissions(10)])).toEqual(before);
      expect(await store.write("GH-1", "a", { turn: 1 })).toBe(false);
    });

    it("leaves what is not plainly waiting for a worker to the gate", async () => {
      const { store, ledger, fastPath } = await openWith();
      expect(await fastPath.begin({ ...place, id: "GH-9" }, "a")).toBeUndefined();
      expect(await fastPath.begin({ ...place, budget: "other" }, "a")).toBeUndefined();
      expect(await fastPath.begin({ ...place, queue: "slow" }, "a")).toBeUndefined();
      await store.recover("GH-1", "recovery:1");
      expect(await fastPath.begin(place, "a")).toBeUndefined();
      await store.write("GH-1", "recovery:1", { state: "queued", reason: "", stage: "" });
      expect(await fastPath.begin(place, "a")).toMatchObject({ ticket: { state: "running" } });
      expect(await fastPath.begin(place, "b")).toBeUndefined();
      await store.add(newTicketSchema.parse({ id: "GH-2", budget: "checkout", estimateMicroUsd: 6001 }));
      expect(await fastPath.begin({ ...place, id: "GH-2" }, "a")).toBeUndefined();
      expect(await store.get("GH-2")).toMatchObject({ state: "queued" });
      expect((await ledger.read("checkout"))?.running).toBe(1);
      expect((await store.get("GH-1"))?.reason).not.toBe(recoveryReason);
    });

    it("ends a ticket for its holder, gives the lease back, and publishes the end once", async () => {
      const { store, ledger, fastPath, ended, clock } = await openWith();
      const begun = await fastPath.begin(place, "a");
      if (begun === undefined) throw new Error("it begins");
      await clock.advance(500);
      const outcome = { state: "succeeded", reason: "", change: { saved: { done: 1 }, turn: 1 }, unused: true } as const;
      expect(await fastPath.end(begun.ticket, "b", outcome)).toBe(false);
      expect(await store.get("GH-1")).toMatchObject({ state: "running", turn: 0 });
      expect(await fastPath.end(begun.ticket, "a", outcome)).toBe(true);
      expect(await store.get("GH-1")).toMatchObject({ state: "succeeded", turn: 1, saved: { done: 1 }, reason: "" });
      expect(await ledger.read("checkout")).toMatchObject({ committedMicroUsd: 0, spentMicroUsd: 0, running: 0 });
      expect(await fastPath.end(begun.ticket, "a", outcome)).toBe(false);
      expect(ended).toEqual([
        {
          ticketId: "GH-1",
          budget: "checkout",
          queue: "default",
          variant: "baseline",
          outcome: "succeeded",
          costMicroUsd: 0,
          durationMs: 500,
          attempts: 1,
        },
      ]);
      expect((await store.open("default", { limit: 5 })).ids).toEqual([]);
    });

    it("charges the last turn when nothing was reported of it, and says the class of a failure", async () => {
      const { store, ledger, fastPath, ended } = await openWith({ externalRef: "acme/shop#1" });
      const begun = await fastPath.begin(place, "a");
      if (begun === undefined) throw new Error("it begins");
      await fastPath.end(begun.ticket, "a", { state: "dead", reason: "tool_error: no disk", failureClass: "tool_error" });
      expect(await ledger.read("checkout")).toMatchObject({ committedMicroUsd: 0, spentMicroUsd: 4000, estimatedMicroUsd: 4000 });
      expect(ended).toMatchObject([{ outcome: "dead", failureClass: "tool_error", costMicroUsd: 4000 }]);
      expect(await store.holdersOf(["acme/shop#1"])).toEqual([undefined]);
    });
  });
}
