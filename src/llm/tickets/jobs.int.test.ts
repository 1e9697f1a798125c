import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { newTicketSchema } from "../../../packages/sdk/src/wire/tickets.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { createRecordedLog } from "../../../test/fakes/recorded-log.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { openTicketSystem } from "../../../test/servers/ticket-system.ts";
import { until } from "../../../test/servers/until.ts";
import { createSystemClock } from "../../core/clock.ts";
import { createSystemRandom } from "../../core/random.ts";
import { connectRedis } from "../../platform/redis/connection.ts";
import { countStartsWhilePaused } from "../budgets/admission-log.ts";
import { noLimits } from "../budgets/controls.ts";
import { startTicketWorker } from "./jobs.ts";
import { createQueueRecovery } from "./redis-queue-recovery.ts";
import { createTicketStore } from "./redis-store.ts";
import type { TicketProcessor } from "./ticket.ts";
import { createTicketQueue } from "./ticket-queue.ts";

const held = holdRedis();
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => held.redis.flushall());
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const clock = createSystemClock();
const child = join(import.meta.dirname, "../../../dist/test/children/ticket-child.js");

async function open() {
  const { tickets: store, ledger, gate, fastPath } = openTicketSystem(held.redis);
  const queue = createTicketQueue(held.redis, store, (error) => {
    throw error;
  });
  closers.push(() => queue.close());
  await ledger.define({ id: "checkout", limitMicroUsd: 100_000_000, periodMs: 3_600_000, periodStartsAt: 0 });
  const add = async (count: number) => {
    for (let index = 1; index <= count; index += 1) {
      await store.add(newTicketSchema.parse({ id: `GH-${index}`, budget: "checkout", estimateMicroUsd: 4000 }));
      await queue.enqueue({ id: `GH-${index}`, queue: "default", budget: "checkout" });
    }
  };
  const start = (processor: TicketProcessor, concurrency = 4) => {
    const drain = new AbortController();
    const connection = connectRedis({ socketPath: held.server.socketPath }, "worker");
    const failures: unknown[] = [];
    const worker = startTicketWorker(
      { store, gate, processor, clock, fastPath },
      {
        redis: connection,
        queue: "default",
        recovery: createQueueRecovery({ redis: connection, tickets: store, enqueuer: queue, clock, random: createSystemRandom() }),
        concurrency,
        drain: drain.signal,
        abort: drain.signal,
        log: createRecordedLog(({ level, fields }) => void (level === "error" && failures.push(fields))),
      },
    );
    closers.push(async () => {
      drain.abort();
      await worker.close();
      connection.disconnect();
      expect(failures).toEqual([]);
    });
  };
  const set = async (fields: Parameters<typeof ledger.compareAndSet>[2]) => {
    const state = await ledger.read("checkout");
    return ledger.compareAndSet("checkout", state?.controls.version ?? 0, fields);
  };
  const counts = async () => (await store.counts())["default"];
  return { store, ledger, queue, add, start, set, counts };
}

describe("startTicketWorker", () => {
  it("looks for tickets in no queue soon again after a look that failed", async () => {
    const { tickets: store, gate } = openTicketSystem(held.redis);
    const drain = new AbortController();
    const connection = connectRedis({ socketPath: held.server.socketPath }, "worker");
    const [rests, errors]: [number[], Error[]] = [[], []];
    const hurried = {
      ...clock,
      async sleep(ms: number, signal?: AbortSignal) {
        rests.push(ms);
        await clock.sleep(1, signal);
      },
    };
    const answers = [Promise.reject(new Error("Redis is away")), Promise.resolve(0)];
    const worker = startTicketWorker(
      { store, gate, processor: async () => ({ kind: "done", saved: null }), clock: hurried },
      {
        redis: connection,
        queue: "default",
        recovery: { recover: async () => answers.shift() ?? 0, repair: async () => ({ kind: "complete" }) },
        concurrency: 1,
        drain: drain.signal,
        abort: drain.signal,
        log: createRecordedLog(({ fields: { error } }) => void (error instanceof Error && errors.push(error))),
      },
    );
    closers.push(async () => {
      drain.abort();
      await worker.close();
      connection.disconnect();
    });
    await until("it has looked twice", async () => rests.length > 1);
    expect(rests.slice(0, 2)).toEqual([5000, 60_000]);
    expect(errors.map(({ message }) => message)).toEqual(["Redis is away"]);
  });

  it("brings every ticket to exactly one end", async () => {
    const { add, start, counts, ledger } = await open();
    await add(20);
    start(async (_ticket, { turn }) =>
      turn === 2 ? { kind: "done", saved: turn } : { kind: "continue", saved: turn, estimateMicroUsd: 10 },
    );
    await until("all have succeeded", async () => (await counts())?.succeeded === 20);
    expect(await counts()).toEqual({ queued: 0, running: 0, waiting: 0, succeeded: 20, failed: 0, dead: 0, cancelled: 0, quarantined: 0 });
    expect(await ledger.read("checkout")).toMatchObject({ running: 0, committedMicroUsd: 0, queued: 0 });
  });

  it("lets a pause take effect between turns: nothing starts, everything waits with its work saved, and all goes on afterwards", async () => {
    const { add, start, set, counts, store, ledger, queue } = await open();
    await add(8);
    const begun: string[] = [];
    start(async (ticket, { turn }) => {
      begun.push(`${ticket.id} ${turn}`);
      await clock.sleep(20);
      return turn === 30 ? { kind: "done", saved: turn } : { kind: "continue", saved: turn, estimateMicroUsd: 10 };
    });
    await until("more than twenty turns have begun", async () => begun.length > 20);
    await set({ gate: "paused", reason: "burning", by: "run:1" });
    await until("all wait", async () => (await counts())?.waiting === 8);
    for (const ticket of (await store.list({ state: "waiting" }, { limit: 20 }))?.items ?? []) {
      expect(ticket.saved).toBe(ticket.turn === 0 ? null : ticket.turn - 1);
    }
    expect(await ledger.read("checkout")).toMatchObject({ running: 0, committedMicroUsd: 0, queued: 8 });
    await set({ gate: "open", reason: "" });
    await queue.wakeAll("default");
    await until("all have succeeded", async () => (await counts())?.succeeded === 8);
    expect(begun).toHaveLength(8 * 31);
    expect(new Set(begun).size).toBe(8 * 31);
    expect(countStartsWhilePaused(await ledger.admissions(10_000), "checkout")).toBe(0);
  });

  it("stops a ticket at its cap at a turn boundary, with its work saved, and holds no worker with it", async () => {
    const { add, start, set, store, ledger, counts } = await open();
    await set({ limits: { ...noLimits, perTicketCapMicroUsd: 5000 } });
    await add(2);
    start(async (ticket, { turn }) => {
      if (ticket.id === "GH-1") await ledger.record([aUsageEvent({ id: `r${turn}`, ticketId: ticket.id }, Date.now())]);
      return turn === 5 ? { kind: "done", saved: turn } : { kind: "continue", saved: turn, estimateMicroUsd: 10 };
    }, 1);
    await until("the other ticket has succeeded", async () => (await counts())?.succeeded === 1);
    expect(await until("a ticket waits", async () => (await store.list({ state: "waiting" }, { limit: 5 }))?.items[0])).toMatchObject({
      id: "GH-1",
      reason: "ticket_cap",
      turn: 2,
      saved: 1,
    });
  });

  it("puts a ticket into its queue whose process ended before it did that", async () => {
    const { store, start, counts } = await open();
    const earlier = createTicketStore({ redis: held.redis, clock: { now: () => clock.now() - 31_000 } });
    await earlier.add(newTicketSchema.parse({ id: "GH-1", budget: "checkout" }));
    start(async () => ({ kind: "done", saved: null }));
    await until("it has succeeded", async () => (await counts())?.succeeded === 1);
    expect(await store.get("GH-1")).toMatchObject({ state: "succeeded" });
  });

  it("resumes from the saved work after the worker was killed in the middle of a turn", async () => {
    if (!existsSync(child)) throw new Error(`this test needs the development build: npm run build:dev makes ${child}`);
    const { add, store } = await open();
    await add(1);
    const run = (killTurn: string) =>
      spawn(process.execPath, [child], {
        env: { PATH: process.env["PATH"], TK_SOCKET: held.server.socketPath, TK_KILL_TURN: killTurn },
        stdio: ["ignore", "inherit", "inherit"],
      });
    const [, signal] = await once(run("2"), "exit");
    expect(signal).toBe("SIGKILL");
    expect(await store.get("GH-1")).toMatchObject({ state: "running", turn: 2, saved: 1 });

    const second = run("");
    const gone = once(second, "exit");
    await until("it has succeeded", async () => (await store.get("GH-1"))?.state === "succeeded");
    second.kill("SIGTERM");
    await gone;
    const told = await held.redis.lrange("turns", 0, -1);
    expect(told.slice(0, 5)).toEqual(["begin 0", "done 0", "begin 1", "done 1", "begin 2"]);
    expect(told.slice(5)).toEqual(["begin 2", "done 2", "begin 3", "done 3", "begin 4", "done 4"]);
    expect(await store.get("GH-1")).toMatchObject({ attempt: 1, turn: 5, saved: 4 });
  }, 40_000);
});
