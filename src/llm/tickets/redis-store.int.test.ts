import { describe, expect, it } from "@jest/globals";
import { batchLimitsSchema } from "../../../packages/sdk/src/wire/batches.ts";
import { newTicketSchema } from "../../../packages/sdk/src/wire/tickets.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { describeTicketStore } from "../../../test/contracts/describe-ticket-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createBatchStore } from "../batches/redis-store.ts";
import { createBudgetLedger } from "../budgets/redis-store.ts";
import { createTicketStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeTicketStore("Redis", async () => {
  await held.redis.flushall();
  const clock = createFakeClock();
  return { clock, store: createTicketStore({ redis: held.redis, clock }) };
});

describe("batches in Redis", () => {
  const open = async () => {
    await held.redis.flushall();
    const clock = createFakeClock();
    const tickets = createTicketStore({ redis: held.redis, clock });
    const batches = createBatchStore({ redis: held.redis, clock });
    const ledger = createBudgetLedger({ redis: held.redis, clock, times: contractTimes, counts: tickets });
    await ledger.define({ id: "checkout", limitMicroUsd: 1_000_000, periodMs: 3_600_000, periodStartsAt: 0 });
    const batch = { id: "b-1", budget: "checkout", queue: "fast" };
    await batches.create(
      { ...batch, limits: batchLimitsSchema.parse({ maxCostMicroUsd: 10_000, perTicketCapMicroUsd: 3000, pilotTickets: 0 }) },
      false,
    );
    await tickets.add(newTicketSchema.parse({ id: "GH-1", budget: "checkout", queue: "fast", batchId: "b-1" }));
    const ask = { ticketId: "GH-1", budget: "checkout", batchId: "b-1", queue: "fast", estimateMicroUsd: 4000 };
    return { clock, tickets, batches, ledger, ask, batch };
  };

  it("are created once and count their tickets by state", async () => {
    const { tickets, batches, batch } = await open();
    expect(await batches.create({ ...batch, limits: batchLimitsSchema.parse({}) }, false)).toBe("differs");
    await tickets.claim("GH-1", "a");
    await tickets.write("GH-1", "a", { state: "running" });
    expect(await batches.get("b-1")).toMatchObject({
      gate: "open",
      limits: { maxCostMicroUsd: 10_000 },
      counts: { queued: 0, running: 1 },
    });
    expect((await batches.list({ limit: 5 }))?.items).toHaveLength(1);
    expect(await batches.get("b-2")).toBeUndefined();
  });

  it("make their tickets wait while their own gate is closed", async () => {
    const { batches, ledger, ask } = await open();
    expect(await batches.change("b-1", { gate: "paused", reason: "look first", by: "ada" })).toBe("set");
    expect(await ledger.admit(ask)).toMatchObject({ kind: "wait", reason: "batch_paused", detail: "The batch is paused: look first" });
    await batches.change("b-1", { gate: "open", reason: "fine", by: "ada" });
    expect(await ledger.admit(ask)).toMatchObject({ kind: "admitted" });
    expect(await batches.change("b-2", { gate: "open" })).toBe("missing");
  });

  it("stop a ticket at the batch's cap per ticket, and everybody at the batch's limit", async () => {
    const { ledger, ask, clock, batches } = await open();
    await ledger.admit(ask);
    await ledger.record([aUsageEvent({ id: "r1", ticketId: "GH-1", batchId: "b-1" }, clock.now())]);
    expect(await ledger.admit({ ...ask, turn: 1 })).toMatchObject({ kind: "admitted" });
    await ledger.record([aUsageEvent({ id: "r2", ticketId: "GH-1", batchId: "b-1" }, clock.now())]);
    expect(await ledger.admit({ ...ask, turn: 2 })).toMatchObject({ kind: "stop", reason: "ticket_cap" });
    await ledger.record([aUsageEvent({ id: "r3", ticketId: "GH-2", batchId: "b-1" }, clock.now())]);
    expect(await ledger.admit({ ...ask, ticketId: "GH-3" })).toMatchObject({ kind: "wait", reason: "batch_exhausted" });
    expect(await batches.get("b-1")).toMatchObject({ spentMicroUsd: 9000 });
  });

  it("show in the budget's state with the tickets that wait", async () => {
    const { ledger } = await open();
    expect(await ledger.read("checkout")).toMatchObject({ queued: 1, running: 0, queues: ["fast"], batches: ["b-1"] });
    expect(await ledger.summaries()).toMatchObject([{ budget: { id: "checkout" }, queues: ["fast"] }]);
  });
});
