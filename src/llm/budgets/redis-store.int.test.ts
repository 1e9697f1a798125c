import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { batchLimitsSchema } from "../../../packages/sdk/src/wire/batches.ts";
import type { BudgetLimits } from "../../../packages/sdk/src/wire/budgets.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { contractTimes, describeBudgetLedger } from "../../../test/contracts/describe-budget-ledger.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { countCommands } from "../../../test/servers/count-commands.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { connectRedis } from "../../platform/redis/connection.ts";
import { workloadKeys } from "../../platform/redis/workload-keys.ts";
import { createBatchStore } from "../batches/redis-store.ts";
import { countStartsWhilePaused } from "./admission-log.ts";
import { noLimits } from "./controls.ts";
import { createBudgetLedger } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);
let failFast: Redis;

beforeAll(async () => {
  failFast = connectRedis({ socketPath: held.server.socketPath }, "request");
  await once(failFast, "ready");
});

afterAll(async () => {
  failFast.disconnect();
});

describeBudgetLedger("Redis", async () => {
  await held.redis.flushall();
  const clock = createFakeClock();
  const counts = { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 0, queues: [], batches: [] })) };
  return { clock, ledger: createBudgetLedger({ redis: held.redis, clock, times: contractTimes, counts, maxBudgets: 3 }) };
});

describe("the summaries of all budgets", () => {
  const counts = { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 0, queues: [], batches: [] })) };
  const open = async (redis: Redis) => {
    await held.redis.flushall();
    const clock = createFakeClock();
    const ledger = createBudgetLedger({ redis, clock, times: contractTimes, counts });
    for (const id of ["a", "b", "c"]) {
      await ledger.define({ id, limitMicroUsd: 1_000_000, periodMs: 3_600_000, periodStartsAt: 0 });
      await ledger.admit({ ticketId: "T", budget: id, queue: `queue-${id}`, estimateMicroUsd: 10 });
    }
    return { clock, ledger };
  };

  it("are the same where Redis reads many keys only by a script", async () => {
    const { ledger } = await open(held.redis);
    const denied = new Proxy(held.redis, {
      get: (target, name) => {
        if (name === "call") return async () => Promise.reject(new Error("ERR GET option of SORT denied in cluster mode"));
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const scripted = createBudgetLedger({ redis: denied, clock: createFakeClock(), times: contractTimes, counts });
    const summaries = await ledger.summaries();
    expect(summaries).toMatchObject([{ queues: ["queue-a"] }, { queues: ["queue-b"] }, { queues: ["queue-c"] }]);
    expect(await scripted.summaries()).toEqual(summaries);
    expect(await scripted.summaries()).toEqual(summaries);
  });

  it("name the queues of budgets that an older version wrote, and read them once", async () => {
    const { ledger } = await open(held.redis);
    await held.redis.hdel(workloadKeys.budget("b"), "queues");
    const summaries = await ledger.summaries();
    expect(summaries.map(({ queues }) => queues)).toEqual([["queue-a"], ["queue-b"], ["queue-c"]]);
    const { commands } = await countCommands(held.redis, async () => ledger.summaries());
    expect(commands.calls).toEqual({ sort: 1 });
  });

  it("are without the reservations of leases that have expired, as soon as these were ended", async () => {
    const { clock, ledger } = await open(held.redis);
    await clock.advance(contractTimes.leaseMs + 1);
    expect(await ledger.summaries()).toMatchObject([{ committedMicroUsd: 10 }, { committedMicroUsd: 10 }, { committedMicroUsd: 10 }]);
    await ledger.endExpiredLeases();
    expect(await ledger.summaries()).toMatchObject([{ committedMicroUsd: 0 }, { committedMicroUsd: 0 }, { committedMicroUsd: 0 }]);
    const { commands } = await countCommands(held.redis, async () => ledger.endExpiredLeases());
    expect(commands.calls).toEqual({ zrangebyscore: 1 });
  });
});

it("ends a lease that ends later than any lease can: the clock was set back", async () => {
  await held.redis.flushall();
  const counts = { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 0, queues: [], batches: [] })) };
  const ledger = createBudgetLedger({ redis: held.redis, clock: createFakeClock(), times: contractTimes, counts });
  const budget = { id: "checkout", limitMicroUsd: 1_000_000, periodMs: 3_600_000, periodStartsAt: 0 };
  await ledger.define(budget);
  for (const [lease, endsInMs] of [
    ["live", 119_000],
    ["impossible", 3_600_000],
  ] as const) {
    await held.redis.zadd(workloadKeys.expiry("checkout"), String(Date.now() + endsInMs), lease);
    await held.redis.hset(workloadKeys.reserved("checkout"), lease, 100);
    await held.redis.hincrby(workloadKeys.budget("checkout"), "committed", 100);
  }
  await ledger.define(budget);
  expect(await held.redis.zrange(workloadKeys.expiry("checkout"), "0", "-1")).toEqual(["live"]);
  expect(await held.redis.hget(workloadKeys.budget("checkout"), "committed")).toBe("100");
});

describe("a Redis that cannot write", () => {
  const open = async () => {
    await held.redis.flushall();
    const clock = createFakeClock();
    const counts = { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 0, queues: [], batches: [] })) };
    // The server's connection fails at once; a worker's would wait until Redis can write again.
    const ledger = createBudgetLedger({ redis: failFast, clock, times: contractTimes, counts });
    await ledger.define({ id: "checkout", limitMicroUsd: 1_000_000, periodMs: 3_600_000, periodStartsAt: 0 });
    return { clock, ledger };
  };
  const faults: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>])[] = [
    ["full", () => held.redis.config("SET", "maxmemory", "1"), () => held.redis.config("SET", "maxmemory", "0")],
    ["read-only", () => held.redis.replicaof("127.0.0.1", 1), () => held.redis.replicaof("NO", "ONE")],
  ];

  it.each(faults)("is unavailable while it is %s, and nothing was counted", async (_fault, begin, end) => {
    const { ledger, clock } = await open();
    const event = aUsageEvent({ id: "r1" }, clock.now());
    await begin();
    try {
      await expect(ledger.admit({ ticketId: "T-1", budget: "checkout", estimateMicroUsd: 5 })).rejects.toBeInstanceOf(StoreUnavailable);
      await expect(ledger.record([event])).rejects.toBeInstanceOf(StoreUnavailable);
    } finally {
      await end();
    }
    // A server that has changed its role closes its connections, a moment later.
    let recorded: unknown;
    for (let tries = 0; recorded === undefined && tries < 100; tries += 1) {
      recorded = await ledger.record([event]).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(recorded).toMatchObject([{ kind: "accepted" }]);
    expect(await ledger.read("checkout")).toMatchObject({ running: 0, spentMicroUsd: 3000 });
  });
});

describe("an admission whose facts have changed before it is taken", () => {
  const ask = (ticketId: string) => ({ ticketId, budget: "checkout", batchId: "b", estimateMicroUsd: 600_000 });
  const open = async () => {
    await held.redis.flushall();
    const clock = createFakeClock();
    const common = {
      clock,
      times: contractTimes,
      counts: { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 0, queues: [], batches: [] })) },
    };
    const ledger = createBudgetLedger({ redis: held.redis, ...common });
    const batches = createBatchStore({ redis: held.redis, clock });
    await ledger.define({ id: "checkout", limitMicroUsd: 1_000_000, periodMs: 3_600_000, periodStartsAt: 0 });
    await batches.create({ id: "b", budget: "checkout", queue: "default", limits: batchLimitsSchema.parse({ pilotTickets: 0 }) }, false);
    const limit = async (limits: Partial<BudgetLimits>) => {
      const state = await ledger.read("checkout");
      await ledger.compareAndSet("checkout", state?.controls.version ?? 0, { limits: { ...noLimits, ...limits } });
    };
    /** Something happens between the decision and its script, once. */
    const admitLate = async (meanwhile: () => Promise<unknown>) => {
      let happened = false;
      const evalsha = async (...args: Parameters<Redis["evalsha"]>) => {
        // The script that takes an admission is the one with twelve keys.
        if (args[1] === 12 && !happened) {
          happened = true;
          await meanwhile();
        }
        return held.redis.evalsha(...args);
      };
      const late = new Proxy(held.redis, {
        get: (target, name) => {
          if (name === "evalsha") return evalsha;
          const member: unknown = Reflect.get(target, name, target);
          return typeof member === "function" ? member.bind(target) : member;
        },
      });
      const answer = await createBudgetLedger({ redis: late, ...common }).admit(ask("T-late"));
      expect(happened).toBe(true);
      return answer.kind === "admitted" ? "admitted" : answer.reason;
    };
    return { ledger, batches, limit, admitLate };
  };

  it("waits when the gate was closed", async () => {
    const { ledger, admitLate } = await open();
    expect(await admitLate(async () => ledger.compareAndSet("checkout", 1, { gate: "paused", reason: "burning" }))).toBe("budget_paused");
    expect(countStartsWhilePaused(await ledger.admissions(10), "checkout")).toBe(0);
  });

  it("waits when the batch's gate was closed", async () => {
    const { batches, admitLate } = await open();
    expect(await admitLate(async () => batches.change("b", { gate: "paused", reason: "look", by: "ada" }))).toBe("batch_paused");
  });

  it("waits when somebody else took the money", async () => {
    const { ledger, admitLate } = await open();
    expect(await admitLate(async () => ledger.admit(ask("T-1")))).toBe("budget_exhausted");
    expect(await ledger.read("checkout")).toMatchObject({ committedMicroUsd: 600_000, running: 1 });
  });

  it("waits when the limit was lowered", async () => {
    const { ledger, admitLate } = await open();
    const lower = { id: "checkout", limitMicroUsd: 500_000, periodMs: 3_600_000, periodStartsAt: 0 };
    expect(await admitLate(async () => ledger.define(lower))).toBe("budget_exhausted");
  });

  it("waits when somebody else took the last place or the last start of the minute", async () => {
    for (const [limits, reason] of [
      [{ concurrency: 1 }, "concurrency"],
      [{ ratePerMinute: 1 }, "rate"],
    ] as const) {
      const { ledger, limit, admitLate } = await open();
      await limit(limits);
      expect(await admitLate(async () => ledger.admit({ ...ask("T-1"), estimateMicroUsd: 1 }))).toBe(reason);
    }
  });

  it("stops when the ticket was cancelled", async () => {
    const { ledger, admitLate } = await open();
    expect(await admitLate(async () => ledger.cancelTicket("checkout", "T-late"))).toBe("ticket_cancelled");
  });
});
