import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { runKeys } from "../src/platform/redis/run-keys.ts";
import { startRunWorker } from "../src/runs/jobs.ts";
import { startWorker } from "../workers/start-worker.ts";
import { createRecordedLog } from "./fakes/recorded-log.ts";
import { aFiringAlert, postAlerts, postUntilAccepted, type WebhookReply } from "./servers/post-alerts.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { aProductFolder, aWaitingRunbook, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";
import { until } from "./servers/until.ts";

/** The product's own wiring over a Redis that goes away, fills up, or becomes a replica. */
let redis: RedisServer;
let folder: ProductFolder;
let product: RunningProduct;

beforeEach(async () => {
  redis = await startRedisServer();
  folder = await aProductFolder({ "trouble.md": aWaitingRunbook("TroubleAlert") });
  product = await startProduct(folder.path, { env: { REDIS_URL: `unix://${redis.socketPath}` }, worker: false });
});

afterEach(async () => {
  await product[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const post = async (thing: string) => postAlerts(product.url, [aFiringAlert("TroubleAlert", thing)]);
const postUntilTaken = async (thing: string) => postUntilAccepted(() => product.url, [aFiringAlert("TroubleAlert", thing)]);

/** Every command that Redis has answered with an error since it started. */
async function errorReplies(own: ReturnType<typeof connectRedis>): Promise<number> {
  return Number(/total_error_replies:(\d+)/.exec(await own.info("stats"))?.[1]);
}

async function readiness(): Promise<number> {
  return (await fetch(`${product.url}/readyz`)).status;
}

async function untilEnded({ decisions }: WebhookReply): Promise<void> {
  const own = connectRedis({ socketPath: redis.socketPath }, "worker");
  try {
    const runId = decisions[0]?.runId ?? "";
    await until(`run ${runId} has ended`, async () => (await own.hget(runKeys.run(runId), "state")) === "ended");
  } finally {
    own.disconnect();
  }
}

describe("Redis in trouble", () => {
  it("gone: 503 with Retry-After, not ready; accepted work survives and goes on when it is back", async () => {
    const before = await post("before");
    expect(before.status).toBe(202);
    await redis.kill();
    const during = await post("during");
    expect(during).toMatchObject({ status: 503, retryAfter: expect.any(String) });
    expect(await readiness()).toBe(503);
    await redis.restart();
    const after = await postUntilTaken("during");
    await startWorker(product.runtime);
    await untilEnded(before);
    await untilEnded(after);
  }, 40_000);

  it("full: 503, and accepted again when there is room", async () => {
    const own = connectRedis({ socketPath: redis.socketPath }, "worker");
    await own.config("SET", "maxmemory", "1");
    expect((await post("full")).status).toBe(503);
    await own.config("SET", "maxmemory", "0");
    expect((await postUntilTaken("full")).decisions).toMatchObject([{ decision: "enqueued" }]);
    own.disconnect();
  }, 20_000);

  it.each([
    { trouble: "read-only", begin: ["REPLICAOF", "127.0.0.1", "1"], finish: ["REPLICAOF", "NO", "ONE"] },
    { trouble: "full", begin: ["CONFIG", "SET", "maxmemory", "1"], finish: ["CONFIG", "SET", "maxmemory", "0"] },
  ])(
    "$trouble: 503, a worker with work in hand pauses instead of spinning, and goes on afterwards",
    async ({ begin, finish }) => {
      const own = connectRedis({ socketPath: redis.socketPath }, "worker");
      const call = async ([command = "", ...args]: readonly string[]) => own.call(command, ...args);
      const executed: string[] = [];
      const worker = startRunWorker(
        async (runId) => {
          // Work is in hand when Redis turns: a worker that has drained its queue would only wait.
          await new Promise((resolve) => setTimeout(resolve, 200));
          executed.push(runId);
        },
        {
          redis: product.runtime.connect("worker"),
          concurrency: 5,
          clock: product.runtime.clock,
          drain: product.runtime.ending.signal,
          log: createRecordedLog(),
        },
      );
      for (const thing of ["a", "b", "c", "d", "e", "f", "g", "h"]) await post(thing);
      await call(begin);
      const before = await errorReplies(own);
      expect((await post("later")).status).toBe(503);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      // Without the breaker and the reconnect this is thousands.
      expect((await errorReplies(own)) - before).toBeLessThan(400);
      await call(finish);
      const { decisions } = await postUntilTaken("later");
      await until("the worker has taken up what came later", () => executed.includes(decisions[0]?.runId ?? ""));
      await worker.close();
      own.disconnect();
    },
    40_000,
  );
});
