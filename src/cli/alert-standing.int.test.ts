import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { type AlertmanagerClient, createAlertmanagerClient } from "../adapters/alertmanager/create-alertmanager-client.ts";
import { loadConfig } from "../config/load-config.ts";
import { createSystemClock } from "../core/clock.ts";
import type { RunRecord } from "../http/ports.ts";
import { connectRedis } from "../redis/connection.ts";
import { createRunReader } from "../redis/run-reader.ts";
import { type AlertmanagerServer, startAlertmanager } from "../testing/alertmanager.ts";
import { type RedisServer, startRedisServer } from "../testing/redis-server.ts";
import { openRuntime, type Runtime } from "./runtime.ts";
import { startServer } from "./start-server.ts";
import { startWorker } from "./start-worker.ts";

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
let alertmanager: AlertmanagerServer;
let client: AlertmanagerClient;
let folder: string;
let runtime: Runtime;
let webhook: string;

beforeAll(async () => {
  alertmanager = await startAlertmanager({ config: "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n" });
  client = createAlertmanagerClient({ url: alertmanager.url });
});

afterAll(async () => {
  await client.close();
  await alertmanager[Symbol.asyncDispose]();
});

beforeEach(async () => {
  redisServer = await startRedisServer();
  folder = await mkdtemp(join(tmpdir(), "rb-standing-"));
  await writeFile(join(folder, "tell.md"), document);
  const loaded = loadConfig({
    env: {
      REDIS_URL: `unix://${redisServer.socketPath}`,
      ALERTMANAGER_URL: alertmanager.url,
      MAIL_TO: "oncall@example.com",
      RUNBOOKD_PORT: "0",
      RUNBOOKD_RUNBOOKS: folder,
      RUNBOOKD_DATA: folder,
      RUNBOOKD_LOG_LEVEL: "silent",
      // An Alertmanager of this test is trusted soon after its start.
      RUNBOOKD_TIME_FACTOR: "1000",
    },
    readFile: () => "",
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const sources = { version: "0.0.0", workingDirectory: folder, path: "", signal };
  runtime = await openRuntime(loaded.config, sources);
  await startWorker(runtime);
  const { server } = await startServer(runtime, sources);
  webhook = `http://127.0.0.1:${server.address.port}/webhooks/alertmanager`;
});

afterEach(async () => {
  runtime.ending.abort();
  await runtime.closers.close();
  await redisServer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function post(labels: { readonly [name: string]: string }, fingerprint: string): Promise<void> {
  const alert = { status: "firing", labels, annotations: {}, startsAt: new Date().toISOString(), fingerprint };
  const reply = await fetch(webhook, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ version: "4", alerts: [alert] }),
  });
  expect(reply.status).toBe(202);
}

/** The only run, once it has ended. */
async function endedRun(): Promise<RunRecord> {
  const redis = connectRedis({ socketPath: redisServer.socketPath }, "worker");
  try {
    const reader = createRunReader(redis, createSystemClock());
    const deadline = performance.now() + 20_000;
    while (performance.now() < deadline) {
      const [run] = (await reader.list({ state: "ended" }, { limit: 1 }))?.items ?? [];
      const record = run === undefined ? undefined : await reader.get(run.id);
      if (record !== undefined) return record;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("No run ended.");
  } finally {
    redis.disconnect();
  }
}

const kinds = ({ journal }: RunRecord) => journal.map(({ kind }) => kind);

it("changes what it should when Alertmanager says that the alert fires", async () => {
  const labels = { alertname: "Burn", thing: "checkout" };
  const now = Date.now();
  await client.send({ labels, annotations: {}, startsAt: now, endsAt: now + 60_000 }, signal);
  const seen = await client.alerts(signal, labels);
  await post(labels, (seen.kind === "alerts" ? seen.alerts[0]?.alert.fingerprint : undefined) ?? "");
  const run = await endedRun();
  expect(run.summary).toMatchObject({ outcome: "succeeded" });
  expect(kinds(run)).toEqual(expect.arrayContaining(["preflight", "intent", "applied"]));
}, 40_000);

it("changes nothing when Alertmanager no longer holds the alert", async () => {
  await post({ alertname: "Burn", thing: "search" }, "0123456789abcdef");
  const run = await endedRun();
  expect(run.summary).toMatchObject({ outcome: "stood_down" });
  expect(kinds(run)).toContain("preflight");
  expect(kinds(run)).not.toContain("intent");
}, 40_000);
