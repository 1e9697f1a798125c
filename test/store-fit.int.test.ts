import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { runKeys } from "../src/platform/redis/run-keys.ts";
import { schemaVersion } from "../src/platform/redis/schema-version.ts";
import { aFiringAlert, postAlerts, postUntilAccepted } from "./servers/post-alerts.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { aProductFolder, aWaitingRunbook, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";
import { until } from "./servers/until.ts";

/** The product over a Redis whose settings change, or that comes back with other settings. */
let redis: RedisServer;
let own: ReturnType<typeof connectRedis>;
let folder: ProductFolder;
let product: RunningProduct | undefined;

beforeEach(async () => {
  redis = await startRedisServer();
  own = connectRedis({ socketPath: redis.socketPath }, "worker");
  folder = await aProductFolder({ "fit.md": aWaitingRunbook("FitAlert") });
});

afterEach(async () => {
  await product?.[Symbol.asyncDispose]();
  product = undefined;
  own.disconnect();
  await redis[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function start(
  options: { readonly worker?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<RunningProduct> {
  product = await startProduct(folder.path, {
    env: { REDIS_URL: `unix://${redis.socketPath}`, ...options.env },
    worker: options.worker ?? false,
  });
  return product;
}

const post = async (thing: string) => postAlerts(product?.url ?? "", [aFiringAlert("FitAlert", thing)]);

async function readiness() {
  const response = await fetch(`${product?.url ?? ""}/readyz`);
  return { status: response.status, body: JSON.stringify(await response.json()) };
}

async function fitMetric(): Promise<string | undefined> {
  return /^runbookd_store_fit (\d)$/m.exec((await product?.runtime.metrics.metrics()) ?? "")?.[1];
}

const unfitSettings = ["--appendonly", "no", "--maxmemory-policy", "allkeys-lru"];

async function makeFit(): Promise<void> {
  await own.config("SET", "maxmemory-policy", "noeviction");
  await own.config("SET", "appendonly", "yes");
}

describe("a store that is unfit", () => {
  it("accepts nothing when it was absent at the start and comes up unfit; it is used by itself once it is fit", async () => {
    await redis.kill();
    await start();
    expect((await post("a")).status).toBe(503);
    await redis.restart(unfitSettings);
    await until("the store is judged unfit", () => product?.runtime.store.judgement().kind === "unfit");
    expect(await post("a")).toMatchObject({ status: 503, retryAfter: expect.any(String) });
    // The probe has a connection of its own, which may return later than the one that was judged.
    const named = "Redis maxmemory-policy: allkeys-lru. Redis AOF: off.";
    await until("the probe names what is unfit", async () => (await readiness()).body.includes(named));
    expect((await readiness()).status).toBe(503);
    expect(await fitMetric()).toBe("0");
    // Not even the mark of the layout.
    expect(await own.dbsize()).toBe(0);
    await makeFit();
    expect((await postUntilAccepted(() => product?.url ?? "", [aFiringAlert("FitAlert", "a")])).decisions).toMatchObject([
      { decision: "enqueued" },
    ]);
    expect(await fitMetric()).toBe("1");
    expect((await readiness()).status).toBe(200);
  }, 40_000);

  it("is noticed within ten seconds when its settings change at run time", async () => {
    await start();
    expect((await post("b")).status).toBe(202);
    await own.config("SET", "maxmemory-policy", "allkeys-lru");
    await until("the store is judged unfit", () => product?.runtime.store.judgement().kind === "unfit", 12_000);
    expect((await post("c")).status).toBe(503);
    await own.config("SET", "maxmemory-policy", "noeviction");
    await until("the store is fit again", () => product?.runtime.store.isFit() === true, 12_000);
    expect((await post("c")).status).toBe(202);
  }, 40_000);

  it("has none of its runs claimed until it is fit again", async () => {
    await start({ worker: true });
    await own.config("SET", "appendfsync", "no");
    await redis.restart(["--appendfsync", "no"]);
    await until("the store is judged unfit", () => product?.runtime.store.judgement().kind === "unfit");
    // A run that is due, as another process would have left it.
    await own.hset(runKeys.run("left"), { state: "queued", summary: "{}" });
    await own.zadd(runKeys.due, "0", "left");
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await own.sismember(runKeys.damaged, "left")).toBe(0);
    await own.config("SET", "appendfsync", "always");
    // The run has no journal: it is claimed and found damaged.
    await until("the run was claimed", async () => (await own.sismember(runKeys.damaged, "left")) === 1, 15_000);
  }, 40_000);

  it("is judged by INFO and REDIS_DURABLE_BY where CONFIG is refused", async () => {
    await redis.restart(["--rename-command", "CONFIG", ""]);
    await start();
    expect(product?.runtime.store.judgement()).toMatchObject({ kind: "unfit", faults: [{ name: "Redis appendfsync" }] });
    expect((await readiness()).body).toContain("unknown: CONFIG GET is not permitted");
    expect((await post("d")).status).toBe(503);
    await product?.[Symbol.asyncDispose]();
    await start({ env: { REDIS_DURABLE_BY: "appendfsync-always" } });
    expect((await post("d")).status).toBe(202);
  }, 40_000);
});

it("marks a store again that was emptied while it was used", async () => {
  await start();
  expect(await own.hget(runKeys.meta, "schema")).toBe(String(schemaVersion));
  await own.flushall();
  await until("the mark is there again", async () => (await own.hget(runKeys.meta, "schema")) === String(schemaVersion), 12_000);
}, 40_000);
