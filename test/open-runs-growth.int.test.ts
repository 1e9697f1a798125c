import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createSystemClock } from "../src/core/clock.ts";
import { runKeys } from "../src/platform/redis/run-keys.ts";
import { createRunReader } from "../src/runs/redis-run-reader.ts";
import { createRunJournal } from "../src/runs/redis-store.ts";
import { putOpenRuns } from "./builders/put-open-runs.ts";
import { commandsOf } from "./servers/commands-of.ts";
import { holdRedis } from "./servers/hold-redis.ts";
import { aProductFolder, aWaitingRunbook, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";

/** What is done again and again costs as many commands with many open runs as with few. `GROWTH_RUNS` asks for more of them. */
const many = Number(process.env["GROWTH_RUNS"] ?? 10_000);
const few = 1000;
const suspended = { runbookId: "growth", dueAt: Date.now() + 86_400_000, state: "suspended" } as const;

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((total, count) => total + count, 0);

describe("what workers and people do", () => {
  const held = holdRedis();
  const clock = createSystemClock();

  async function countsPerCall() {
    const journal = createRunJournal(held.redis, { worker: "vm/7", leaseMs: 6000, nonce: () => "n", clock });
    const reader = createRunReader(held.redis, clock);
    const tasks = {
      reclaim: async () => journal.reclaimLeases(),
      sweep: async () => journal.due(50),
      openRuns: async () => journal.openRuns(),
      dueLag: async () => journal.dueLagSeconds(),
      listOpen: async () => reader.list({ state: "open" }, { limit: 20 }),
      listOfRunbook: async () => reader.list({ runbookId: "growth", state: "open" }, { limit: 20 }),
    };
    // The first sweep compares every wait with Redis' clock.
    await journal.due(1);
    const counts = new Map<string, number>();
    for (const [name, task] of Object.entries(tasks)) counts.set(name, sum(await commandsOf(held.redis, task)));
    return Object.fromEntries(counts);
  }

  it("costs as many commands with many open runs as with few", async () => {
    await putOpenRuns(held.redis, { ...suspended, from: 0, to: few });
    const before = await countsPerCall();
    await putOpenRuns(held.redis, { ...suspended, from: few, to: many });
    expect(await countsPerCall()).toEqual(before);
    for (const count of Object.values(before)) expect(count).toBeLessThanOrEqual(25);
  }, 120_000);
});

describe("a scrape of the product", () => {
  const held = holdRedis();
  let folder: ProductFolder;
  let product: RunningProduct;

  beforeAll(async () => {
    folder = await aProductFolder({ "growth.md": aWaitingRunbook("Growth") });
    product = await startProduct(folder.path, { env: { REDIS_URL: `unix://${held.server.socketPath}` } });
  }, 30_000);
  afterAll(async () => {
    await product[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it("asks for at most fifty commands, and says how many runs are open", async () => {
    await putOpenRuns(held.redis, { ...suspended, from: 0, to: many });
    expect(await held.redis.scard(runKeys.openRuns)).toBe(many);
    const counted: number[] = [];
    // The product sweeps meanwhile, so the fewest of some scrapes count.
    for (let scrape = 0; scrape < 10; scrape += 1) {
      counted.push(sum(await commandsOf(held.redis, async () => product.runtime.metrics.metrics())));
      await pause(150);
    }
    expect(Math.min(...counted)).toBeLessThanOrEqual(50);
    expect(await product.runtime.metrics.metrics()).toContain(`runbookd_runs_active{runbook="growth"} ${many}`);
  }, 120_000);
});
