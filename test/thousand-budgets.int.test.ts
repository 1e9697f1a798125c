import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { z } from "zod";
import { startMetrics } from "../src/app/start-metrics.ts";
import { aUsageEvent } from "./builders/a-usage-report.ts";
import { countCommands } from "./servers/count-commands.ts";
import { holdRedis } from "./servers/hold-redis.ts";
import { startPrometheus } from "./servers/prometheus.ts";
import { aProductFolder, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";
import { until } from "./servers/until.ts";

const held = holdRedis(["--appendfsync", "always"]);
const count = 1000;
const last = `budget-${count}`;
let folder: ProductFolder;
let product: RunningProduct;

beforeAll(async () => {
  folder = await aProductFolder({});
  const env = { REDIS_URL: `unix://${held.server.socketPath}`, RUNBOOKD_MAX_BUDGETS: String(count) };
  product = await startProduct(folder.path, { env, worker: false });
  const { ledger, clock } = product.runtime;
  const startsAt = clock.now() - 60_000;
  const budgets = Array.from({ length: count }, (_, index) => `budget-${index + 1}`);
  // In order, so that the last one is the last that is created.
  for (const id of budgets) await ledger.define({ id, limitMicroUsd: 1_000_000, periodMs: 86_400_000, periodStartsAt: startsAt });
  for (let start = 0; start < count; start += 50) {
    const some = budgets.slice(start, start + 50);
    await Promise.all(
      some.map(async (budget) => ledger.admit({ ticketId: "T-1", budget, queue: `queue-${start % 5}`, estimateMicroUsd: 10_000 })),
    );
    await ledger.record(
      some.map((budget) => ({
        ...aUsageEvent({ id: `r-${budget}`, budget }, clock.now()),
        costMicroUsd: budget === last ? 2_000_000 : 500,
      })),
    );
  }
}, 60_000);

afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

it("costs a scrape at most 100 Redis commands, those of scripts and of everything else in the process among them", async () => {
  const { result, commands } = await countCommands(held.redis, async () => product.runtime.metrics.metrics());
  const spent = result.split("\n").filter((line) => line.startsWith("llm_budget_spent_usd{"));
  expect(spent).toHaveLength(count);
  expect(spent).toContain(`llm_budget_spent_usd{budget="${last}"} 2`);
  expect(result.split("\n").filter((line) => /^llm_budget_.*budget="other"/u.test(line))).toEqual([]);
  expect(commands.total).toBeLessThanOrEqual(100);
});

it("lists all budgets with a few commands and calls of one script, and as each is read alone", async () => {
  const { ledger } = product.runtime;
  await ledger.states();
  const { result, commands } = await countCommands(held.redis, async () => ledger.states());
  expect(result).toHaveLength(count);
  // The clock goes on between the two.
  const alone = { ...(await ledger.read(last)), periodRemainingSeconds: expect.any(Number) };
  expect(result.find(({ budget }) => budget.id === last)).toEqual(alone);
  // Each script reads two things of each of its 250 budgets.
  const { zcount = 0, smembers = 0, ...sent } = commands.calls;
  expect({ zcount, smembers }).toEqual({ zcount: count, smembers: count });
  expect(Object.values(sent).reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(10);
});

it("refuses a budget beyond the setting, and still redefines one that exists", async () => {
  const { ledger, clock } = product.runtime;
  const budget = { limitMicroUsd: 1_000_000, periodMs: 86_400_000, periodStartsAt: clock.now() - 60_000 };
  expect(await ledger.define({ id: "one-more", ...budget })).toEqual({ kind: "full", max: count });
  expect(await ledger.read("one-more")).toBeUndefined();
  expect(await ledger.define({ id: "budget-1", ...budget })).toEqual({ kind: "defined" });
});

it("fires the alert of the budget that was created last, in a real Prometheus with the shipped rules", async () => {
  const { address } = await startMetrics(product.runtime, 0);
  const rules = readFileSync("alerts/rules/cost.rules.yml", "utf8").replace("interval: 30s", "interval: 1s");
  await using prometheus = await startPrometheus({
    config: JSON.stringify({
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: ["rules/*.yml"],
      scrape_configs: [{ job_name: "runbookd", static_configs: [{ targets: [`127.0.0.1:${address.port}`] }] }],
    }),
    files: { "rules/cost.rules.yml": rules },
  });
  const ask = async (path: string) => answerSchema.parse(await (await fetch(`${prometheus.url}/api/v1/${path}`)).json());
  const firing = async () =>
    ((await ask("alerts")).data.alerts ?? [])
      .filter(({ state, labels }) => state === "firing" && labels["alertname"] === "LLMBudgetExceeded")
      .map(({ labels }) => labels["budget"]);
  await until("the last budget's alert fires", async () => (await firing()).length > 0, 30_000);
  expect(await firing()).toEqual([last]);
  expect((await ask(`query?query=${encodeURIComponent("count(llm_budget_limit_usd)")}`)).data.result).toMatchObject([
    { value: [expect.any(Number), String(count)] },
  ]);
}, 60_000);

const answerSchema = z.object({
  data: z.object({
    alerts: z.array(z.object({ state: z.string(), labels: z.record(z.string(), z.string()) })).optional(),
    result: z.unknown().optional(),
  }),
});
