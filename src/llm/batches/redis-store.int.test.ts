import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { type BatchLimits, batchHeadSchema } from "../../../packages/sdk/src/wire/batches.ts";
import { newTicketSchema, ticketStates } from "../../../packages/sdk/src/wire/tickets.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createBudgetLedger } from "../budgets/redis-store.ts";
import { createTicketStore } from "../tickets/redis-store.ts";
import { hasEnded } from "../tickets/ticket.ts";
import { estimateBatch } from "./batch-estimate.ts";
import { createBatchStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

/** A submitted batch of `size` tickets that were estimated at `p90` each, on a budget of `limit`. */
async function open({
  size = 10,
  p90 = 10_000,
  limit = 1_000_000,
  limits = {},
}: {
  size?: number;
  p90?: number;
  limit?: number;
  limits?: Partial<BatchLimits>;
} = {}) {
  await held.redis.flushall();
  const clock = createFakeClock();
  const tickets = createTicketStore({ redis: held.redis, clock });
  const batches = createBatchStore({ redis: held.redis, clock });
  const ledger = createBudgetLedger({ redis: held.redis, clock, times: contractTimes, counts: tickets });
  await ledger.define({ id: "checkout", limitMicroUsd: limit, periodMs: 3_600_000, periodStartsAt: 0 });
  const head = batchHeadSchema.parse({ id: "b", budget: "checkout", limits: { pilotTickets: 0, maxFailureRatio: 1, ...limits } });
  await batches.create(head, true);
  const ids = Array.from({ length: size }, (_, index) => `b/${index}`);
  const wanted = ids.map((id) => newTicketSchema.parse({ id, budget: "checkout", batchId: "b", externalRef: id, kind: "bug" }));
  await tickets.addAll(wanted);
  const estimate = estimateBatch([{ kind: "bug", tickets: size, p50MicroUsd: p90 / 2, p90MicroUsd: p90, n: 50, from: "history" }]);
  const ask = (index: number, estimateMicroUsd = 4000, turn = 0) => ({
    ticketId: `b/${index}`,
    budget: "checkout",
    batchId: "b",
    estimateMicroUsd,
    turn,
  });
  const money = async () => {
    const state = await ledger.read("checkout");
    const batch = await batches.get("b");
    return { spent: state?.spentMicroUsd, committed: state?.committedMicroUsd, left: batch?.reservedMicroUsd };
  };
  let reports = 0;
  const spend = async (index: number, costMicroUsd: number, change: object = {}) => {
    reports += 1;
    return ledger.record([
      { ...aUsageEvent({ id: `r${reports}`, ticketId: `b/${index}`, batchId: "b", ...change }, clock.now()), costMicroUsd },
    ]);
  };
  const end = async (index: number, state: "succeeded" | "failed" | "cancelled" = "succeeded") => {
    const id = `b/${index}`;
    await tickets.claim(id, "worker");
    await tickets.write(id, "worker", { state });
    await ledger.finish({ ticketId: id, budget: "checkout", batchId: "b", kind: "bug", outcome: state, unused: true });
  };
  return { clock, tickets, batches, ledger, estimate, ask, money, spend, end, wanted, ids };
}

describe("a batch that is submitted as a whole", () => {
  it("runs nothing as a draft, reserves its 90th percentile once, and takes no ticket afterwards", async () => {
    const { ledger, batches, tickets, estimate, ask, money, wanted } = await open();
    expect(await ledger.admit(ask(0))).toMatchObject({ kind: "wait", reason: "batch_draft" });
    expect((await tickets.open("default", { limit: 10 })).ids).toEqual([]);
    expect(await batches.submit("b", { ...estimate, tickets: 9 })).toEqual({ kind: "changed", tickets: 10 });
    expect(await batches.submit("b", estimate)).toEqual({ kind: "submitted" });
    expect(await batches.submit("b", estimate)).toEqual({ kind: "joined" });
    expect(await money()).toEqual({ spent: 0, committed: 100_000, left: 100_000 });
    const [first] = wanted;
    if (first === undefined) throw new Error("there is a ticket");
    expect(await tickets.addAll([first, { ...first, id: "b/new", externalRef: "new" }])).toEqual([{ kind: "known" }, { kind: "sealed" }]);
    expect(await batches.submit("none", estimate)).toEqual({ kind: "missing" });
  });

  it("is refused with the numbers when its budget has no room, to the last millionth", async () => {
    const { batches, estimate, ledger } = await open({ limit: 100_000 });
    await ledger.admit({ ticketId: "other", budget: "checkout", estimateMicroUsd: 1 });
    expect(await batches.submit("b", estimate)).toEqual({
      kind: "refused",
      spentMicroUsd: 0,
      committedMicroUsd: 1,
      limitMicroUsd: 100_000,
    });
    expect(await batches.get("b")).toMatchObject({ state: "draft", reservedMicroUsd: 0 });
    await ledger.release({ ticketId: "other", budget: "checkout", unused: true });
    expect(await batches.submit("b", estimate)).toEqual({ kind: "submitted" });
    expect(await ledger.admit({ ticketId: "other", budget: "checkout", estimateMicroUsd: 1 })).toMatchObject({
      reason: "budget_exhausted",
    });
  });

  it("lets its tickets take from what it has reserved, and gives back what the ended ones did not need", async () => {
    const { batches, estimate, ledger, ask, money, spend, end } = await open({ limit: 100_000 });
    await batches.submit("b", estimate);
    expect(await ledger.admit(ask(0))).toMatchObject({ kind: "admitted" });
    expect(await money()).toEqual({ spent: 0, committed: 100_000, left: 96_000 });
    await spend(0, 3000);
    expect(await money()).toEqual({ spent: 3000, committed: 97_000, left: 96_000 });
    await end(0);
    expect(await money()).toEqual({ spent: 3000, committed: 90_000, left: 90_000 });
    await ledger.admit(ask(1));
    await spend(1, 15_000);
    await end(1);
    expect(await money()).toEqual({ spent: 18_000, committed: 75_000, left: 75_000 });
    for (let index = 2; index < 10; index += 1) await end(index);
    expect(await money()).toEqual({ spent: 18_000, committed: 0, left: 0 });
    expect(await batches.settle("b")).toBe(true);
    expect(await batches.get("b")).toMatchObject({ state: "done", counts: { succeeded: 10 } });
    expect(await batches.active()).toEqual([]);
    expect(await batches.costs("bug")).toEqual([...Array.from({ length: 8 }, () => 0), 15_000, 3000]);
  });

  it("never lets tickets in flight pass its limit of cost, its concurrency or its rate", async () => {
    const limits = { maxCostMicroUsd: 10_000, concurrency: 3, ratePerMinute: 4 };
    const { batches, estimate, ledger, ask, end } = await open({ limits });
    await batches.submit("b", estimate);
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => ledger.admit(ask(index, 3000))));
    expect(answers.filter(({ kind }) => kind === "admitted")).toHaveLength(3);
    expect(await ledger.admit(ask(9, 3000))).toMatchObject({ reason: "batch_concurrency" });
    await end(answers.findIndex(({ kind }) => kind === "admitted"));
    expect(await ledger.admit(ask(8, 5000))).toMatchObject({
      reason: "batch_exhausted",
      detail: expect.stringContaining("$0.0060 in flight"),
    });
    expect(await ledger.admit(ask(8, 4000))).toMatchObject({ kind: "admitted" });
    await end(8);
    expect(await ledger.admit(ask(9, 10))).toMatchObject({ reason: "batch_rate" });
  });

  it("sends five ahead however many workers ask at once, and the rest when three have succeeded", async () => {
    const { batches, estimate, ledger, ask, end } = await open({ size: 12, limits: { pilotTickets: 5 } });
    await batches.submit("b", estimate);
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => ledger.admit(ask(index, 10))));
    const ahead = answers.flatMap(({ kind }, index) => (kind === "admitted" ? [index] : []));
    expect(ahead).toHaveLength(5);
    const rest = answers.findIndex(({ kind }) => kind !== "admitted");
    for (const [place, index] of ahead.entries()) {
      expect(await ledger.admit(ask(rest, 10))).toMatchObject({ reason: "batch_leading" });
      await end(index, place < 3 ? "succeeded" : "failed");
    }
    expect(await ledger.admit(ask(rest, 10))).toMatchObject({ kind: "admitted" });
    expect(await batches.get("b")).toMatchObject({ pilotPassed: true, begun: 6, begunEnded: 5 });
  });

  it("stops what begins, and what is between turns, once it is cancelled, and settles to nothing", async () => {
    const { batches, estimate, ledger, tickets, ask, money, end } = await open({ size: 4 });
    await batches.submit("b", estimate);
    await ledger.admit(ask(0));
    expect(await batches.change("b", { state: "cancelled", reason: "not needed" })).toBe("set");
    expect(await batches.change("b", { gate: "open" })).toBe("over");
    expect(await ledger.admit(ask(0, 10, 1))).toMatchObject({ kind: "stop", reason: "batch_cancelled" });
    expect(await ledger.admit(ask(1))).toMatchObject({ kind: "stop", reason: "batch_cancelled" });
    expect(await batches.settle("b")).toBe(false);
    await end(0, "cancelled");
    for (const index of [1, 2, 3]) {
      expect(await tickets.cancel(`b/${index}`, "batch_cancelled")).toBe(true);
      await ledger.finish({ ticketId: `b/${index}`, budget: "checkout", batchId: "b", outcome: "cancelled" });
    }
    expect(await batches.settle("b")).toBe(true);
    // Its first turn was admitted, and nothing of it was reported.
    expect(await money()).toEqual({ spent: 4000, committed: 0, left: 0 });
    expect(await batches.get("b")).toMatchObject({ state: "cancelled", counts: { cancelled: 4 } });
  });

  it("feeds its queue piece by piece, again what was not noted, and nothing twice once it was", async () => {
    const { batches, estimate, tickets } = await open({ size: 5 });
    await batches.submit("b", estimate);
    const first = await batches.nextToEnqueue("b", 3);
    expect(await batches.nextToEnqueue("b", 3)).toEqual(first);
    await batches.setEnqueued("b", 3);
    expect(await batches.nextToEnqueue("b", 3)).toEqual([]);
    const second = await batches.nextToEnqueue("b", 99);
    // One of them is in somebody's hands already, who keeps it.
    await tickets.claim(second[0] ?? "", "early");
    await tickets.enqueue([...first, ...second]);
    expect(await tickets.write(second[0] ?? "", "early", { turn: 1 })).toBe(true);
    expect(await batches.get("b")).toMatchObject({ counts: { queued: 5, waiting: 0 } });
    expect([...first, ...second]).toHaveLength(5);
    expect(new Set([...first, ...second]).size).toBe(5);
    expect((await tickets.open("default", { limit: 10 })).ids).toHaveLength(5);
  });

  it("takes changes by compare-and-set, and counts answers of 429", async () => {
    const { batches, estimate, spend } = await open();
    await batches.submit("b", estimate);
    const before = await batches.get("b");
    expect(await batches.change("b", { gate: "paused" }, before?.version)).toBe("set");
    expect(await batches.change("b", { gate: "open" }, before?.version)).toBe("conflict");
    await spend(0, 0, { outcome: "rate_limited" });
    await spend(0, 10);
    expect(await batches.get("b")).toMatchObject({ gate: "paused", requests: 2, rateLimited: 1, version: (before?.version ?? 0) + 1 });
  });
});

describe("the money of a batch, whatever happens in whatever order", () => {
  type Step =
    | { readonly kind: "admit" | "spend" | "release" | "end" | "end without telling"; readonly ticket: number; readonly amount: number }
    | { readonly kind: "pass" | "cancel"; readonly ticket: number; readonly amount: number };
  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom("admit", "admit", "spend", "spend", "release", "end", "end without telling", "pass", "cancel"),
    ticket: fc.nat(5),
    amount: fc.nat(9000),
  });

  it("is reserved exactly as long as somebody may still need it, and every ticket ends in exactly one state", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { batches, estimate, ledger, tickets, ask, spend, end, clock, ids } = await open({ size: 6, p90: 5000, limit: 60_000 });
        await batches.submit("b", estimate);
        const turns = new Map<number, number>();
        for (const { kind, ticket, amount } of steps) {
          const id = `b/${ticket}`;
          const state = (await tickets.get(id))?.state ?? "queued";
          if (kind === "pass") await clock.advance(amount * 8);
          else if (kind === "cancel") {
            if (amount < 300) await batches.change("b", { state: "cancelled" });
          } else if (kind === "spend") await spend(ticket, amount);
          else if (kind === "release") await ledger.release({ ticketId: id, budget: "checkout", batchId: "b" });
          else if (hasEnded(state)) continue;
          else if (kind === "admit") {
            turns.set(ticket, (turns.get(ticket) ?? -1) + 1);
            await ledger.admit(ask(ticket, amount, turns.get(ticket)));
          } else if (kind === "end") await end(ticket, amount % 2 === 0 ? "succeeded" : "failed");
          else {
            // A worker that died between the ticket's record and the ledger's.
            await tickets.claim(id, "w");
            await tickets.write(id, "w", { state: "failed" });
          }
          const leases = await held.redis.hvals("{wl}:budget:checkout:reserved");
          const batch = await batches.get("b");
          const budget = await ledger.read("checkout");
          const inLeases = leases.reduce((sum, reserved) => sum + Number(reserved), 0);
          expect(budget?.committedMicroUsd).toBeGreaterThanOrEqual(0);
          expect(batch?.reservedMicroUsd).toBeGreaterThanOrEqual(0);
          // Reading tidies leases up that have expired, so that both are looked at afterwards.
          const after = (await held.redis.hvals("{wl}:budget:checkout:reserved")).reduce((sum, reserved) => sum + Number(reserved), 0);
          expect(after).toBeLessThanOrEqual(inLeases);
          expect(budget?.committedMicroUsd).toBe(after + ((await batches.get("b"))?.reservedMicroUsd ?? 0));
          expect(ticketStates.reduce((sum, one) => sum + (batch?.counts[one] ?? 0), 0)).toBe(6);
        }
        for (const index of ids.keys()) if (!hasEnded((await tickets.get(`b/${index}`))?.state ?? "queued")) await end(index);
        await clock.advance(contractTimes.leaseMs + 1);
        expect(await batches.settle("b")).toBe(true);
        expect(await ledger.read("checkout")).toMatchObject({ committedMicroUsd: 0, running: 0 });
        const states = await Promise.all(ids.map(async (id) => (await tickets.get(id))?.state ?? "queued"));
        expect(states.every((state) => hasEnded(state))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
