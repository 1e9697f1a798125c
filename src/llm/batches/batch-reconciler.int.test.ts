import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type BatchLimits, batchHeadSchema } from "../../../packages/sdk/src/wire/batches.ts";
import { newTicketSchema, ticketStates } from "../../../packages/sdk/src/wire/tickets.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { openTicketSystem } from "../../../test/servers/ticket-system.ts";
import { until } from "../../../test/servers/until.ts";
import { createSystemClock } from "../../core/clock.ts";
import { hasEnded } from "../tickets/ticket.ts";
import { createTicketQueue } from "../tickets/ticket-queue.ts";
import { createBatchControl } from "./batch-control.ts";
import { createBatchReconciler } from "./batch-reconciler.ts";
import { createBatchStore } from "./redis-store.ts";

const held = holdRedis();
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => held.redis.flushall());
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const clock = createSystemClock();
const child = join(import.meta.dirname, "../../../dist/test/children/batch-child.js");

/** A submitted batch, and a keeper that looks when it is told to. */
async function open(ids: readonly string[], limits: Partial<BatchLimits> = {}) {
  const { tickets, ledger, gate } = openTicketSystem(held.redis);
  const batches = createBatchStore({ redis: held.redis, clock });
  const feeder = createTicketQueue(held.redis, tickets, (error) => {
    throw error;
  });
  closers.push(() => feeder.close());
  await ledger.define({ id: "checkout", limitMicroUsd: 10_000_000_000, periodMs: 3_600_000_000, periodStartsAt: 0 });
  await batches.create(batchHeadSchema.parse({ id: "b", budget: "checkout", limits: { pilotTickets: 0, ...limits } }), true);
  await tickets.addAll(
    ids.map((id) => newTicketSchema.parse({ id, budget: "checkout", batchId: "b", externalRef: id, estimateMicroUsd: 1000 })),
  );
  const control = createBatchControl({ batches, tickets, budgets: ledger, clock });
  expect(await control.submit("b")).toEqual({ kind: "submitted" });
  const keeper = createBatchReconciler({ batches, control, tickets, gate, enqueuer: feeder, clock, minuteMs: 60_000 });
  const look = async () => {
    await keeper.reconcile();
    const sight = await control.get("b");
    if (sight === undefined) throw new Error("there is a batch");
    return sight;
  };
  const startWorkers = (): ChildProcess => {
    if (!existsSync(child)) throw new Error(`this test needs the development build: npm run build:dev makes ${child}`);
    const started = spawn(process.execPath, [child], {
      env: { PATH: process.env["PATH"], BC_SOCKET: held.server.socketPath },
      stdio: ["ignore", "inherit", "inherit"],
    });
    closers.push(async () => {
      if (started.exitCode !== null || started.signalCode !== null) return;
      started.kill("SIGKILL");
      await once(started, "exit");
    });
    return started;
  };
  return { tickets, batches, ledger, control, look, startWorkers };
}
const named = (count: number) => Array.from({ length: count }, (_, index) => `b/${index}`);
const turns = async () => held.redis.lrange("turns", 0, -1);

describe("a batch over two processes of workers", () => {
  it("is paused, resumed and cancelled between turns in both; a killed worker loses no ticket, and the money settles to nothing", async () => {
    const { look, startWorkers, control, tickets, ledger } = await open(named(60), { concurrency: 8 });
    const first = startWorkers();
    const second = startWorkers();
    const pids = async () => new Set((await turns()).map((line) => line.split(" ")[0]));
    await until("both processes work", async () => (await look()).progress.ended > 2 && (await pids()).size === 2);

    await control.change("b", { gate: "paused", reason: "look" });
    await until("nothing runs", async () => (await look()).counts.running === 0 && (await ledger.read("checkout"))?.running === 0);
    const before = await turns();
    for (const ticket of (await tickets.list({ batchId: "b", state: "waiting" }, { limit: 100 }))?.items ?? []) {
      expect(ticket.saved).toBe(ticket.turn === 0 ? null : ticket.turn - 1);
    }
    await clock.sleep(300);
    expect(await turns()).toEqual(before);

    await control.change("b", { gate: "open", reason: "" });
    await until("work goes on", async () => (await turns()).length > before.length + 20 && (await look()).counts.running > 0);
    first.kill("SIGKILL");
    await once(first, "exit");
    await until("the one that is left works", async () => (await look()).progress.ended > 20);

    await control.change("b", { state: "cancelled", reason: "wrong list" });
    const over = await until("all have ended and the money is settled", async () => {
      const sight = await look();
      return sight.progress.ended === 60 && (await ledger.read("checkout"))?.committedMicroUsd === 0 && sight;
    });
    expect(over).toMatchObject({ state: "cancelled", reservedMicroUsd: 0 });
    expect(over.counts.succeeded + over.counts.cancelled).toBe(60);
    expect(over.counts.succeeded).toBeGreaterThan(10);
    expect(over.counts.cancelled).toBeGreaterThan(0);
    const states = await Promise.all(named(60).map(async (id) => (await tickets.get(id))?.state ?? "queued"));
    expect(states.every((state) => hasEnded(state))).toBe(true);
    expect(ticketStates.map((state) => states.filter((one) => one === state).length)).toEqual(
      ticketStates.map((state) => over.counts[state]),
    );
    await clock.sleep(200);
    const after = await turns();
    await clock.sleep(300);
    expect(await turns()).toEqual(after);
    second.kill("SIGTERM");
  }, 40_000);

  it("runs five ahead, stops at a fifth of failures, and goes on once the limit was raised, to one end for each", async () => {
    const ids = Array.from({ length: 40 }, (_, index) => (index >= 10 && index % 2 === 0 ? `b/${index}=` : `b/${index}`));
    const { look, startWorkers, control, ledger } = await open(ids, { concurrency: 4, pilotTickets: 5 });
    startWorkers();
    startWorkers();
    const led = await until("the leading tickets are through", async () => {
      const sight = await look();
      return sight.pilotPassed && sight;
    });
    expect(led.progress.succeeded).toBeGreaterThanOrEqual(3);
    const stopped = await until("it stops itself", async () => {
      const sight = await look();
      return sight.stop !== null && sight.counts.running === 0 && sight;
    });
    expect(stopped.stop).toMatchObject({ hold: "batch_failures" });
    expect(stopped.progress.ended).toBeLessThan(40);
    await control.change("b", { limits: { ...stopped.limits, maxFailureRatio: 1 } });
    const done = await until("it is done", async () => {
      const sight = await look();
      return sight.state === "done" && sight;
    });
    expect(done).toMatchObject({ counts: { succeeded: 25, failed: 15 }, reservedMicroUsd: 0, progress: { etaAt: expect.any(Number) } });
    expect(await ledger.read("checkout")).toMatchObject({ committedMicroUsd: 0 });
  }, 40_000);
});

describe("looking after a batch", () => {
  it("puts no more tickets into the queue than can be worked on soon, and the leading ones alone first", async () => {
    const { look, batches, tickets } = await open(named(1200), { pilotTickets: 5 });
    await look();
    expect(await batches.get("b")).toMatchObject({ enqueued: 5 });
    expect((await tickets.open("default", { limit: 2000 })).ids).toHaveLength(5);
    await held.redis.hset("{wl}:batch:" + (await shareOf()), "pilot_passed", "1");
    await look();
    await look();
    expect(await batches.get("b")).toMatchObject({ enqueued: 1000 });
    expect(await held.redis.llen("{wl}:tickets-default:wait")).toBe(1000);
  });

  it("halves its concurrency when the provider refuses, which the gate follows", async () => {
    const { look, ledger } = await open(named(30), { concurrency: 8 });
    await look();
    const refused = Array.from({ length: 30 }, (_, index) =>
      aUsageEvent({ id: `r${index}`, ticketId: "b/0", batchId: "b", outcome: index < 3 ? "rate_limited" : "ok" }, clock.now()),
    );
    await ledger.record(refused);
    await look();
    expect(await look()).toMatchObject({ concurrencyNow: 4, limits: { concurrency: 8 } });
    const answers = await Promise.all(
      named(6).map(async (ticketId) => ledger.admit({ ticketId, budget: "checkout", batchId: "b", estimateMicroUsd: 1 })),
    );
    expect(answers.filter(({ kind }) => kind === "admitted")).toHaveLength(4);
  });
});

async function shareOf(): Promise<string> {
  const [key = ""] = await held.redis.keys("{wl}:batch:*:tickets");
  return key.split(":")[2] ?? "";
}
