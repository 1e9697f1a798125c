import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { countClaims, countGrowth } from "../bench/open-run-growth.ts";
import { runKeys } from "../src/platform/redis/run-keys.ts";
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

  it("costs as many commands with many open runs as with few, and a claim for each run however many workers sweep", async () => {
    const lines = await countGrowth(held.redis, [few, many]);
    for (const { work, commands, max } of lines) {
      if (max === undefined) continue;
      expect([work, new Set(commands).size]).toEqual([work, 1]);
      expect(Math.max(...commands)).toBeLessThanOrEqual(max);
    }
    expect(await countClaims(held.redis, 4, 200)).toBe(1);
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
