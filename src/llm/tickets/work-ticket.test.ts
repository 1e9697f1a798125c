import { describe, expect, it } from "@jest/globals";
import type { BudgetLimits } from "../../../packages/sdk/src/wire/budgets.ts";
import { type NewTicketInput, newTicketSchema } from "../../../packages/sdk/src/wire/tickets.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryBudgetLedger } from "../../../test/fakes/memory-budget-ledger.ts";
import { createMemoryTickets } from "../../../test/fakes/memory-tickets.ts";
import type { FinishedTicket } from "../budgets/budget-ledger.ts";
import { noLimits } from "../budgets/controls.ts";
import { createLocalGate } from "../budgets/local-gate.ts";
import type { TicketProcessor } from "./ticket.ts";
import { type TicketLease, workTicket } from "./work-ticket.ts";

/** Three turns of $0.003 each. What was done is in the saved work. */
const threeTurns: TicketProcessor = async (_ticket, { turn }) =>
  turn === 2 ? { kind: "done", saved: { done: 3 } } : { kind: "continue", saved: { done: turn + 1 }, estimateMicroUsd: 4000 };

async function open(change: Partial<NewTicketInput> = {}) {
  const clock = createFakeClock();
  const store = createMemoryTickets(clock);
  const ledger = createMemoryBudgetLedger({ clock, times: contractTimes });
  const finished: FinishedTicket[] = [];
  await ledger.define({ id: "checkout", limitMicroUsd: 1_000_000, periodMs: 3_600_000, periodStartsAt: 0 });
  await store.add(newTicketSchema.parse({ id: "GH-1", budget: "checkout", estimateMicroUsd: 4000, ...change }));
  const gate = createLocalGate({ ledger, publish: ({ ticket }) => finished.push(ticket) });
  const drain = new AbortController();
  let deliveries = 0;
  let turns = 0;
  const work = async (processor: TicketProcessor, hold: Partial<TicketLease> = {}) => {
    deliveries += 1;
    const counted: TicketProcessor = async (ticket, context) => {
      const result = await processor(ticket, context);
      turns += 1;
      if (result.unused === true) return result;
      await ledger.record([aUsageEvent({ id: `r${turns}`, ticketId: ticket.id, attempt: context.attempt }, clock.now())]);
      return result;
    };
    const held = { holder: `h${deliveries}`, losses: 0, drain: drain.signal, abort: drain.signal, ...hold };
    return workTicket("GH-1", held, { store, gate, processor: counted, clock });
  };
  const set = async (fields: Parameters<typeof ledger.compareAndSet>[2]) => {
    const state = await ledger.read("checkout");
    return ledger.compareAndSet("checkout", state?.controls.version ?? 0, fields);
  };
  const limit = async (limits: Partial<BudgetLimits>) => set({ limits: { ...noLimits, ...limits } });
  return { clock, store, ledger, finished, work, set, limit, drain, turns: () => turns };
}

describe("workTicket", () => {
  it("does turn after turn to the end, and tells the end once", async () => {
    const { work, store, ledger, finished } = await open();
    expect(await work(threeTurns)).toEqual({ kind: "ended", state: "succeeded" });
    expect(await store.get("GH-1")).toMatchObject({ state: "succeeded", turn: 3, saved: { done: 3 } });
    expect(await work(threeTurns)).toEqual({ kind: "ended", state: "succeeded" });
    expect(finished).toMatchObject([{ outcome: "succeeded", costMicroUsd: 9000, attempts: 1 }]);
    expect(await ledger.read("checkout")).toMatchObject({ committedMicroUsd: 0, running: 0 });
  });

  it("does not begin while the gate is closed", async () => {
    const { work, store, set, turns } = await open();
    await set({ gate: "paused", reason: "burning" });
    expect(await work(threeTurns)).toMatchObject({ kind: "later", reason: "budget_paused" });
    expect(turns()).toBe(0);
    expect(await store.get("GH-1")).toMatchObject({ state: "waiting", reason: "budget_paused", attempt: 1 });
  });

  it("waits between turns with its work saved once the gate closes, holds no reservation, and goes on from there", async () => {
    const { work, store, ledger, set, turns } = await open();
    const closing: TicketProcessor = async (ticket, context) => {
      if (context.turn === 0) await set({ gate: "paused", reason: "burning" });
      return threeTurns(ticket, context);
    };
    expect(await work(closing)).toMatchObject({ kind: "later", reason: "budget_paused" });
    expect(await store.get("GH-1")).toMatchObject({ state: "waiting", turn: 1, saved: { done: 1 } });
    expect(await ledger.read("checkout")).toMatchObject({ committedMicroUsd: 0, running: 0 });
    await set({ gate: "open" });
    expect(await work(threeTurns)).toEqual({ kind: "ended", state: "succeeded" });
    expect(turns()).toBe(3);
  });

  it("stops at a turn boundary with its work saved when the ticket has cost too much, and goes on when the cap is raised", async () => {
    const { work, store, limit, turns } = await open();
    await limit({ perTicketCapMicroUsd: 5000 });
    expect(await work(threeTurns)).toMatchObject({ kind: "later", reason: "ticket_cap" });
    expect(await store.get("GH-1")).toMatchObject({ state: "waiting", reason: "ticket_cap", turn: 2, saved: { done: 2 } });
    await limit({ perTicketCapMicroUsd: 50_000 });
    expect(await work(threeTurns)).toEqual({ kind: "ended", state: "succeeded" });
    expect(turns()).toBe(3);
  });

  it("stops at a turn boundary with its work saved when the minute has cost too much", async () => {
    const { work, store, limit, clock } = await open();
    await limit({ perMinuteCapMicroUsd: 3000 });
    expect(await work(threeTurns)).toEqual({ kind: "later", reason: "minute_cap", afterMs: 60_000 });
    expect(await store.get("GH-1")).toMatchObject({ state: "waiting", turn: 1, saved: { done: 1 } });
    await clock.advance(60_000);
    expect(await work(threeTurns)).toMatchObject({ kind: "later", reason: "minute_cap" });
    expect(await store.get("GH-1")).toMatchObject({ turn: 2 });
  });

  it("tries again from the saved work, and is dead when its tries are used up", async () => {
    const { work, store, finished } = await open({ maxAttempts: 2 });
    const failing: TicketProcessor = async (_ticket, { attempt, saved }) => ({
      kind: "failed",
      saved: [saved, attempt],
      reason: "no answer was accepted",
      retry: true,
      estimateMicroUsd: 4000,
    });
    expect(await work(failing)).toEqual({ kind: "ended", state: "dead" });
    expect(await store.get("GH-1")).toMatchObject({ state: "dead", attempt: 2, saved: [[null, 1], 2], reason: "no answer was accepted" });
    expect(finished).toMatchObject([{ outcome: "dead", attempts: 2 }]);
    expect(finished[0]).not.toHaveProperty("failureClass");
  });

  it("ends a retry loop at the budget's limit of attempts, with the work kept", async () => {
    const { work, store, limit, finished, turns } = await open({ maxAttempts: 50 });
    await limit({ maxAttempts: 1 });
    const failing: TicketProcessor = async () => ({ kind: "failed", saved: "half", reason: "x", retry: true, estimateMicroUsd: 1 });
    expect(await work(failing)).toEqual({ kind: "ended", state: "dead" });
    expect(turns()).toBe(1);
    expect(await store.get("GH-1")).toMatchObject({ state: "dead", reason: "attempts_exhausted", saved: "half" });
    expect(finished).toMatchObject([{ failureClass: "attempts_exhausted" }]);
  });

  it("counts what the application throws as a failed try, and keeps the work from before", async () => {
    const { work, store } = await open({ maxAttempts: 1 });
    const throwing: TicketProcessor = async (ticket, context) => {
      if (context.turn === 1) throw new Error("disk full");
      return threeTurns(ticket, context);
    };
    expect(await work(throwing)).toEqual({ kind: "ended", state: "dead" });
    expect(await store.get("GH-1")).toMatchObject({ saved: { done: 1 }, reason: "disk full" });
  });

  it("cancels a ticket at its next turn boundary", async () => {
    const { work, store, ledger, finished } = await open();
    const cancelled: TicketProcessor = async (ticket, context) => {
      await ledger.cancelTicket("checkout", ticket.id);
      return threeTurns(ticket, context);
    };
    expect(await work(cancelled)).toEqual({ kind: "ended", state: "cancelled" });
    expect(await store.get("GH-1")).toMatchObject({ state: "cancelled", turn: 1, saved: { done: 1 } });
    expect(finished).toMatchObject([{ outcome: "cancelled" }]);
  });

  it("puts its ticket back with the work saved when the worker shuts down", async () => {
    const { work, store, ledger, drain } = await open();
    const closing: TicketProcessor = async (ticket, context) => {
      drain.abort();
      return threeTurns(ticket, context);
    };
    expect(await work(closing)).toMatchObject({ kind: "later", afterMs: 0 });
    expect(await store.get("GH-1")).toMatchObject({ state: "queued", turn: 1, saved: { done: 1 } });
    expect(await ledger.read("checkout")).toMatchObject({ running: 0 });
  });

  it("writes nothing more once somebody else holds the ticket", async () => {
    const { work, store } = await open();
    const overtaken: TicketProcessor = async (ticket, context) => {
      await store.claim(ticket.id, "somebody else");
      return threeTurns(ticket, context);
    };
    expect(await work(overtaken)).toEqual({ kind: "lost" });
    expect(await store.get("GH-1")).toMatchObject({ turn: 0, saved: null });
  });

  it("leaves a ticket that told a stage and lost its worker to a recovery, and takes it up when that is over", async () => {
    const { work, store, turns, ledger } = await open();
    await store.claim("GH-1", "dead worker");
    await store.write("GH-1", "dead worker", { state: "running", stage: "implement" });
    expect(await work(threeTurns)).toMatchObject({ kind: "later", reason: "worker_lost" });
    expect(await work(threeTurns)).toMatchObject({ kind: "later", reason: "worker_lost" });
    expect(await store.get("GH-1")).toMatchObject({ state: "waiting", reason: "worker_lost", stage: "implement" });
    await store.recover("GH-1", "recovery:1");
    expect(await work(threeTurns)).toMatchObject({ kind: "later", reason: "recovery" });
    expect({ turns: turns(), running: (await ledger.read("checkout"))?.running }).toEqual({ turns: 0, running: 0 });
    await store.write("GH-1", "recovery:1", { state: "queued", reason: "", attempt: 2 });
    expect(await work(threeTurns)).toEqual({ kind: "ended", state: "succeeded" });
    expect(await store.get("GH-1")).toMatchObject({ attempt: 2, turn: 3 });
  });

  it("ends a turn that hangs when a recovery takes its ticket, and is delivered again when that gives it back", async () => {
    const { work, store, clock } = await open();
    const hanging: TicketProcessor = async (_ticket, context) => {
      const { signal } = context;
      await context.heartbeat("implement");
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      return { kind: "done", saved: "too late" };
    };
    const working = work(hanging);
    await clock.advance(300_000);
    await store.recover("GH-1", "recovery:1");
    await store.write("GH-1", "recovery:1", { saved: "preserved" });
    await clock.advance(60_000);
    expect(await working).toEqual({ kind: "lost" });
    expect(await store.get("GH-1")).toMatchObject({ state: "waiting", reason: "recovery", saved: "preserved" });
    const overtaken: TicketProcessor = async (ticket, context) => {
      await store.recover(ticket.id, "recovery:2");
      await store.write(ticket.id, "recovery:2", { state: "queued", reason: "" });
      return threeTurns(ticket, context);
    };
    await store.write("GH-1", "recovery:1", { state: "queued", reason: "" });
    expect(await work(overtaken)).toMatchObject({ kind: "later", afterMs: 0 });
    expect(await work(threeTurns)).toEqual({ kind: "ended", state: "succeeded" });
  });

  it("takes the stage that the processor tells as a sign of life, and ends the turn of whoever lost the ticket", async () => {
    const { work, store } = await open();
    const seen: unknown[] = [];
    const beating: TicketProcessor = async (ticket, context) => {
      await context.heartbeat("plan");
      seen.push((await store.get(ticket.id))?.stage);
      await store.recover(ticket.id, "recovery:1");
      await context.heartbeat("plan").catch((error: unknown) => seen.push(String(error)));
      return threeTurns(ticket, context);
    };
    expect(await work(beating)).toEqual({ kind: "lost" });
    expect(seen).toEqual(["plan", "Error: The ticket was taken away."]);
  });

  it("keeps the classes of failed tries, and counts a death by the class of its last one", async () => {
    const { work, store, finished } = await open({ maxAttempts: 2 });
    const failing: TicketProcessor = async () => ({
      kind: "failed",
      saved: null,
      reason: "2 of 9 tests fail",
      failureClass: "test_failure",
      retry: true,
      estimateMicroUsd: 1,
    });
    expect(await work(failing)).toEqual({ kind: "ended", state: "dead" });
    expect(await store.get("GH-1")).toMatchObject({
      reason: "test_failure: 2 of 9 tests fail",
      failures: ["test_failure", "test_failure"],
    });
    expect(finished).toMatchObject([{ outcome: "dead", failureClass: "test_failure" }]);
  });

  it("gives the reservation of a turn back that the provider refused, whether another try follows or none", async () => {
    const { work, ledger, finished, turns } = await open({ maxAttempts: 2 });
    const held: unknown[] = [];
    const refused: TicketProcessor = async () => {
      held.push((await ledger.read("checkout"))?.committedMicroUsd);
      return { kind: "failed", saved: null, reason: "429", retry: true, unused: true, estimateMicroUsd: 5000 };
    };
    expect(await work(refused)).toEqual({ kind: "ended", state: "dead" });
    expect({ held, turns: turns() }).toEqual({ held: [4000, 5000], turns: 2 });
    expect(await ledger.read("checkout")).toMatchObject({ spentMicroUsd: 0, estimatedMicroUsd: 0, committedMicroUsd: 0, running: 0 });
    expect(finished).toMatchObject([{ outcome: "dead", costMicroUsd: 0 }]);
  });

  it("charges nothing for a turn without a request between others", async () => {
    const { work, ledger } = await open();
    const idle: TicketProcessor = async (_ticket, { turn }) =>
      turn === 2
        ? { kind: "done", saved: null, unused: true }
        : { kind: "continue", saved: null, estimateMicroUsd: 4000, unused: turn === 1 };
    expect(await work(idle)).toEqual({ kind: "ended", state: "succeeded" });
    expect(await ledger.read("checkout")).toMatchObject({ spentMicroUsd: 3000, estimatedMicroUsd: 0, committedMicroUsd: 0 });
  });

  it("charges the reservation of a turn whose worker was killed before it reported, and nothing when it had reported", async () => {
    for (const [hasReported, charged] of [
      [false, 4000],
      [true, 3000],
    ] as const) {
      const { work, store, ledger, clock } = await open();
      await store.claim("GH-1", "killed worker");
      await ledger.admit({ ticketId: "GH-1", budget: "checkout", estimateMicroUsd: 4000 });
      await store.write("GH-1", "killed worker", { state: "running", reason: "" });
      if (hasReported) await ledger.record([aUsageEvent({ id: "r0", ticketId: "GH-1" }, clock.now())]);
      expect(await work(threeTurns)).toEqual({ kind: "ended", state: "succeeded" });
      expect(await ledger.read("checkout")).toMatchObject({ spentMicroUsd: charged + 9000, estimatedMicroUsd: hasReported ? 0 : 4000 });
    }
  });

  it("keeps the lease of a turn that takes longer than one", async () => {
    const { work, ledger, clock } = await open();
    const seen: unknown[] = [];
    const slow: TicketProcessor = async () => {
      await clock.sleep(200_000);
      const state = await ledger.read("checkout");
      seen.push(state?.running, state?.committedMicroUsd);
      return { kind: "done", saved: null };
    };
    const working = work(slow);
    await clock.advance(200_000);
    await working;
    expect(seen).toEqual([1, 4000]);
  });

  it("gives a ticket up that took ten workers with it", async () => {
    const { work, store, turns } = await open();
    expect(await work(threeTurns, { losses: 11 })).toEqual({ kind: "ended", state: "dead" });
    expect(turns()).toBe(0);
    expect(await store.get("GH-1")).toMatchObject({ reason: "worker_lost" });
  });
});
