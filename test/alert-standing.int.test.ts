import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import type { RunRecord } from "../packages/sdk/src/wire/journal.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { type AlertmanagerClient, createAlertmanagerClient } from "../src/integrations/alertmanager/create-alertmanager-client.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { createRunReader } from "../src/runs/redis-run-reader.ts";
import { startAlertmanager } from "./servers/alertmanager.ts";
import { aFiringAlert, postAlerts } from "./servers/post-alerts.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { aProductFolder, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";
import type { ServiceOnPort } from "./servers/start-on-port.ts";
import { until } from "./servers/until.ts";

/** The product's own wiring beside a real Alertmanager that tells it nothing by itself: its route leads to somebody else's webhook. */
const document = `---
triggers: [Burn]
target: thing/\${{ alert.labels.thing }}
mode: auto
---
# Runbook: Tell

## Scenario
Something burns.

## Procedure

1. **Tell people**: A change that is easy to see.
   - Action: \`notify\`
     \`\`\`yaml
     to: default
     subject: It burns
     text: It burns.
     \`\`\`
`;

const { signal } = new AbortController();
let redisServer: RedisServer;
let alertmanager: ServiceOnPort;
let client: AlertmanagerClient;
let folder: ProductFolder;
let product: RunningProduct;

beforeAll(async () => {
  alertmanager = await startAlertmanager({ config: "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n" });
  client = createAlertmanagerClient({ url: alertmanager.url, clock: createSystemClock() });
});

afterAll(async () => {
  await client.close();
  await alertmanager[Symbol.asyncDispose]();
});

beforeEach(async () => {
  redisServer = await startRedisServer();
  folder = await aProductFolder({ "tell.md": document });
  const env = {
    REDIS_URL: `unix://${redisServer.socketPath}`,
    ALERTMANAGER_URL: alertmanager.url,
    MAIL_TO: "oncall@example.com",
    // An Alertmanager of this test is trusted soon after its start.
    RUNBOOKD_TIME_FACTOR: "1000",
  };
  product = await startProduct(folder.path, { env });
});

afterEach(async () => {
  await product[Symbol.asyncDispose]();
  await redisServer[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function post(thing: string, fingerprint: string): Promise<void> {
  expect((await postAlerts(product.url, [aFiringAlert("Burn", thing, { fingerprint })])).status).toBe(202);
}

/** The only run, once it has ended. */
async function endedRun(): Promise<RunRecord> {
  const redis = connectRedis({ socketPath: redisServer.socketPath }, "worker");
  try {
    const reader = createRunReader(redis, createSystemClock());
    return await until("a run has ended", async () => {
      const [run] = (await reader.list({ state: "ended" }, { limit: 1 }))?.items ?? [];
      return run === undefined ? undefined : reader.get(run.id);
    });
  } finally {
    redis.disconnect();
  }
}

const kinds = ({ journal }: RunRecord) => journal.map(({ kind }) => kind);

it("changes what it should when Alertmanager says that the alert fires", async () => {
  const labels = { alertname: "Burn", thing: "checkout" };
  const now = Date.now();
  await client.send({ labels, annotations: {}, startsAt: now, endsAt: now + 60_000 }, signal);
  const seen = await client.alerts(signal, { labels });
  await post(labels.thing, (seen.kind === "alerts" ? seen.alerts[0]?.alert.fingerprint : undefined) ?? "");
  const run = await endedRun();
  expect(run.summary).toMatchObject({ outcome: "succeeded" });
  expect(kinds(run)).toEqual(expect.arrayContaining(["preflight", "intent", "applied"]));
}, 40_000);

it("changes nothing when Alertmanager no longer holds the alert", async () => {
  await post("search", "0123456789abcdef");
  const run = await endedRun();
  expect(run.summary).toMatchObject({ outcome: "stood_down" });
  expect(kinds(run)).toContain("preflight");
  expect(kinds(run)).not.toContain("intent");
}, 40_000);
