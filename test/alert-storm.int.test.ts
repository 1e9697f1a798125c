import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { runKeys } from "../src/platform/redis/run-keys.ts";
import { aFiringAlert, postAlerts, postUntilAccepted } from "./servers/post-alerts.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { aProductFolder, aWaitingRunbook, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";
import { until } from "./servers/until.ts";

/** Duplicates and a storm through the product's own wiring: webhook, Redis, worker. */
const document = aWaitingRunbook("StormAlert");

// The limit binds runbooks that raise something.
const limited = document
  .replace("StormAlert", "LimitedAlert")
  .replace("mode: auto", "mode: auto\nlimits: { runs_per_hour_runbook: 5 }")
  .replace("`wait`", "`resume-batches`")
  .replace("for: 10ms", "budget: nobody");

let server: RedisServer;
let redis: ReturnType<typeof connectRedis>;
let folder: ProductFolder;
let product: RunningProduct;

beforeAll(async () => {
  server = await startRedisServer();
  redis = connectRedis(server, "worker");
  folder = await aProductFolder({ "storm.md": document, "limited.md": limited });
  product = await startProduct(folder.path, {
    env: { REDIS_URL: `unix://${server.socketPath}` },
    // What is asked for here is whether anything is lost, not what a storm may do: the limits are lifted.
    yaml: "guardrails: { runs_per_hour: 1000000, runs_per_hour_runbook: 1000000 }",
  });
}, 30_000);

afterAll(async () => {
  await product[Symbol.asyncDispose]();
  redis.disconnect();
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const startsAt = new Date(Date.now() - 60_000).toISOString();

function alertOf(
  fingerprint: string,
  { thing = fingerprint, name = "StormAlert", ...change }: { thing?: string; name?: string; startsAt?: string } = {},
) {
  return aFiringAlert(name, thing, { startsAt, fingerprint, ...change });
}

const postUntilTaken = async (alerts: readonly object[]) => (await postUntilAccepted(() => product.url, alerts)).decisions;

const countRuns = async (): Promise<number> => redis.zcard(runKeys.runs);

async function untilIdle(): Promise<void> {
  await until("every run has ended", async () => (await redis.scard(runKeys.openRuns)) === 0, 60_000);
}

describe("duplicates", () => {
  it("ten at once, from two Alertmanagers with clocks apart, and ten later are one run", async () => {
    const before = await countRuns();
    const apart = new Date(Date.parse(startsAt) + 30_000).toISOString();
    const twins = Array.from({ length: 10 }, (_, index) => alertOf("twin", index % 2 === 0 ? {} : { startsAt: apart }));
    const answers = await Promise.all(twins.map(async (alert) => postUntilTaken([alert])));
    await untilIdle();
    for (const alert of twins) answers.push(await postUntilTaken([alert]));
    expect(answers.flat().filter(({ decision }) => decision === "enqueued").length).toBe(1);
    expect((await countRuns()) - before).toBe(1);
  }, 30_000);

  it("after a connection that was cut before the answer came join the run that was accepted", async () => {
    const before = await countRuns();
    for (let nth = 0; nth < 30; nth += 1) {
      const alert = alertOf(`cut-${nth}`);
      await postAlerts(product.url, [alert], AbortSignal.timeout(1 + (nth % 6))).catch(() => undefined);
      await postUntilTaken([alert]);
    }
    expect((await countRuns()) - before).toBe(30);
  }, 30_000);

  it("of one target under different fingerprints meet in one open run or start one after the other, never two at once", async () => {
    const before = await countRuns();
    const group = Array.from({ length: 20 }, (_, index) => alertOf(`same-${index}`, { thing: "shared" }));
    const decisions = await postUntilTaken(group);
    expect(decisions.filter(({ decision }) => decision === "enqueued").length).toBe(1);
    expect((await countRuns()) - before).toBe(1);
    expect(new Set(decisions.map(({ runId }) => runId)).size).toBe(1);
  }, 30_000);
});

it("a storm of 2,000 alerts and all of them again: each has its run, each run ends, no duplicate starts one", async () => {
  const before = await countRuns();
  const alerts = Array.from({ length: 2000 }, (_, index) => alertOf(`storm-${index}`));
  const groups = Array.from({ length: 40 }, (_, at) => alerts.slice(at * 50, (at + 1) * 50));
  const first = (await Promise.all(groups.map(async (group) => postUntilTaken(group)))).flat();
  expect(first.length).toBe(2000);
  const again = (await Promise.all(groups.map(async (group) => postUntilTaken(group)))).flat();
  await untilIdle();
  expect((await countRuns()) - before).toBe(2000);
  expect(again.filter(({ decision }) => decision === "enqueued")).toEqual([]);
  const ids = (await redis.zrange(runKeys.runs, "0", "-1")).slice(-2000);
  const states = await Promise.all(ids.map(async (id) => redis.hget(runKeys.run(id), "state")));
  expect(states.filter((state) => state !== "ended")).toEqual([]);
}, 90_000);

it("a storm beyond a limit starts no more runs than it permits, and every alert hears so", async () => {
  const before = await countRuns();
  const alerts = Array.from({ length: 100 }, (_, index) => alertOf(`limited-${index}`, { name: "LimitedAlert" }));
  const decisions = await postUntilTaken(alerts);
  const counts = new Map<string, number>();
  for (const { decision } of decisions) counts.set(decision, (counts.get(decision) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toEqual({ enqueued: 5, refused: 95 });
  expect((await countRuns()) - before).toBe(5);
});
