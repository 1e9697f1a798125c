import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { createSystemClock } from "../src/core/clock.ts";
import { parseRedisUrl } from "../src/platform/config/redis-url.ts";
import { connectRedis, primaryNode, runKeysSlot, untilReady } from "../src/platform/redis/connection.ts";
import { runKeys } from "../src/platform/redis/run-keys.ts";
import { aFiringAlert, postAlerts, postUntilAccepted, type WebhookReply } from "./servers/post-alerts.ts";
import { type ClusterSetup, startRedisCluster } from "./servers/redis-cluster.ts";
import { aProductFolder, aWaitingRunbook, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";
import { until } from "./servers/until.ts";

/** The product's own wiring on a real cluster of three primaries; the ledger's owner has a replica, and every write waits for it. */
let cluster: ClusterSetup;
let folder: ProductFolder;
let product: RunningProduct;
let redis: ReturnType<typeof connectRedis>;

beforeAll(async () => {
  cluster = await startRedisCluster(runKeysSlot);
  const place = parseRedisUrl(cluster.url);
  if (place?.kind !== "cluster") throw new Error("no cluster address");
  redis = connectRedis(place, "worker");
  await untilReady(redis, createSystemClock());
}, 60_000);

afterAll(async () => {
  redis.disconnect();
  await cluster[Symbol.asyncDispose]();
});

beforeEach(async () => {
  folder = await aProductFolder({ "on-call.md": aWaitingRunbook("OnCall") });
  product = await startProduct(folder.path, { env: { REDIS_URL: cluster.url, REDIS_WAIT_REPLICAS: "1" } });
});

afterEach(async () => {
  cluster.replica.resume();
  await product[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const post = async (thing: string) => postAlerts(product.url, [aFiringAlert("OnCall", thing)]);
const postUntilTaken = async (thing: string) => postUntilAccepted(() => product.url, [aFiringAlert("OnCall", thing)]);

async function untilEnded({ decisions }: WebhookReply): Promise<void> {
  const runId = decisions[0]?.runId ?? "";
  await until(`run ${runId} has ended`, async () => (await redis.hget(runKeys.run(runId), "state")) === "ended");
}

it("knows the slot of the ledger's keys and the node that owns it", async () => {
  expect(await redis.cluster("KEYSLOT", runKeys.due)).toBe(runKeysSlot);
  expect(primaryNode(redis)?.options.port).toBe(cluster.ownerOf(runKeysSlot).port);
});

it("carries alerts from the webhook to the ends of their runs, each confirmed by the node that wrote it", async () => {
  await postUntilTaken("first");
  // WAIT on another node of the cluster would say that nothing was replicated, and most of these would be 503.
  for (let count = 0; count < 12; count += 1) {
    const reply = await post(`one${count}`);
    expect(reply.status).toBe(202);
    await untilEnded(reply);
  }
}, 60_000);

it("asks the node that wrote whether the replica has it: frozen, an alert is answered 503 and nothing is lost", async () => {
  expect((await postUntilTaken("before")).decisions).toMatchObject([{ decision: "enqueued" }]);
  cluster.replica.pause();
  for (let tries = 0; tries < 12; tries += 1) expect((await post(`during${tries}`)).status).toBe(503);
  cluster.replica.resume();
  await untilEnded(await postUntilTaken("during0"));
}, 60_000);
