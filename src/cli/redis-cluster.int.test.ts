import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { parseRedisUrl } from "../config/redis-url.ts";
import { connectRedis, ledgerNode, ledgerSlot, untilReady } from "../redis/connection.ts";
import { runKeys } from "../redis/run-keys.ts";
import { type ClusterSetup, startRedisCluster } from "../testing/redis-cluster.ts";
import { type RunningProduct, startProduct } from "../testing/running-product.ts";

/** The product's own wiring on a real cluster of three primaries; the ledger's owner has a replica, and every write waits for it. */
let cluster: ClusterSetup;
let product: RunningProduct;
let redis: ReturnType<typeof connectRedis>;

beforeAll(async () => {
  cluster = await startRedisCluster(ledgerSlot);
  const place = parseRedisUrl(cluster.url);
  if (place?.kind !== "cluster") throw new Error("no cluster address");
  redis = connectRedis(place, "worker");
  await untilReady(redis);
}, 60_000);

afterAll(async () => {
  redis.disconnect();
  await cluster[Symbol.asyncDispose]();
});

beforeEach(async () => {
  product = await startProduct({ REDIS_URL: cluster.url, REDIS_WAIT_REPLICAS: "1" });
});

afterEach(async () => {
  cluster.replica.resume();
  await product[Symbol.asyncDispose]();
});

async function untilEnded(runId: string): Promise<string | null> {
  let state: string | null = null;
  for (let tries = 0; tries < 200 && state !== "ended"; tries += 1) {
    state = await redis.hget(runKeys.run(runId), "state");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return state;
}

it("knows the slot of the ledger's keys and the node that owns it", async () => {
  expect(await redis.cluster("KEYSLOT", runKeys.due)).toBe(ledgerSlot);
  expect(ledgerNode(redis)?.options.port).toBe(cluster.ownerOf(ledgerSlot).port);
});

it("carries alerts from the webhook to the ends of their runs, each confirmed by the node that wrote it", async () => {
  await product.postUntilAccepted("first");
  // WAIT on another node of the cluster would say that nothing was replicated, and most of these would be 503.
  for (let count = 0; count < 12; count += 1) {
    const { status, runId = "" } = await product.post(`one${count}`);
    expect(status).toBe(202);
    expect(await untilEnded(runId)).toBe("ended");
  }
}, 60_000);

it("asks the node that wrote whether the replica has it: frozen, an alert is answered 503 and nothing is lost", async () => {
  expect((await product.postUntilAccepted("before")).decision).toBe("enqueued");
  cluster.replica.pause();
  for (let tries = 0; tries < 12; tries += 1) expect((await product.post(`during${tries}`)).status).toBe(503);
  cluster.replica.resume();
  const reply = await product.postUntilAccepted("during0");
  expect(await untilEnded(reply.runId ?? "")).toBe("ended");
}, 60_000);
