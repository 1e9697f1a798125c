import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { loadConfig } from "../config/load-config.ts";
import { type RedisServer, startRedisServer } from "../testing/redis-server.ts";
import { adminTokenPath } from "./data-folder.ts";
import { openRuntime, type Runtime } from "./runtime.ts";
import { startServer } from "./start-server.ts";
import { startWorker } from "./start-worker.ts";

/** The kill switch in the product's own wiring: server, worker, Redis, a target that counts. */
const documentOf = (target: string) => `---
triggers: [FreezeAlert]
target: thing/\${{ alert.labels.thing }}
mode: auto
---
# Runbook: Two changes

## Scenario
Two changes of one target.

## Procedure

1. **First change**: Changes.
   - Action: \`http-request\`
     \`\`\`yaml
     url: ${target}/change
     method: POST
     \`\`\`
2. **Second change**: Changes again.
   - Action: \`http-request\`
     \`\`\`yaml
     url: ${target}/change
     method: POST
     \`\`\`
`;

let redis: RedisServer;
let folder: string;
let runtime: Runtime;
let url: string;
let token: string;
let target: Server;
let arrivals: number;
let onArrival: (response: ServerResponse) => Promise<void>;

beforeEach(async () => {
  arrivals = 0;
  onArrival = async () => undefined;
  target = createServer((_request, response) => {
    arrivals += 1;
    void onArrival(response).then(() => response.end("{}"));
  });
  target.listen(0, "127.0.0.1");
  await once(target, "listening");
  const address = target.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  redis = await startRedisServer();
  folder = await mkdtemp(join(tmpdir(), "rb-frozen-"));
  await writeFile(join(folder, "two-changes.md"), documentOf(origin));
  await startProduct(origin);
});

afterEach(async () => {
  await stopProduct();
  await redis[Symbol.asyncDispose]();
  const closed = once(target, "close");
  target.close();
  target.closeAllConnections();
  await closed;
  await rm(folder, { recursive: true, force: true });
});

async function startProduct(origin: string): Promise<void> {
  const loaded = loadConfig({
    env: {
      REDIS_URL: `unix://${redis.socketPath}`,
      RUNBOOKD_PORT: "0",
      RUNBOOKD_RUNBOOKS: folder,
      RUNBOOKD_DATA: folder,
      RUNBOOKD_WEBHOOK_TOKEN: "0123456789abcdef",
      RUNBOOKD_LOG_LEVEL: "silent",
      RUNBOOKD_HTTP_ALLOW: origin,
      RUNBOOKD_FREEZE_FILE: join(folder, "freeze"),
    },
    readFile: () => "",
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const sources = { version: "0.0.0", workingDirectory: folder, path: "", signal: new AbortController().signal };
  runtime = await openRuntime(loaded.config, sources);
  await startWorker(runtime);
  const { server } = await startServer(runtime, sources);
  url = `http://127.0.0.1:${server.address.port}`;
  token = (await readFile(adminTokenPath(folder), "utf8")).trim();
}

async function stopProduct(): Promise<void> {
  runtime.ending.abort();
  await runtime.closers.close();
}

async function api(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return response.json();
}

const decisionsSchema = z.object({
  decisions: z.array(z.object({ decision: z.string(), runId: z.string().optional(), reason: z.string().optional() })),
});

async function fire(thing: string) {
  const alert = {
    status: "firing",
    labels: { alertname: "FreezeAlert", thing },
    annotations: {},
    startsAt: new Date().toISOString(),
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "",
    fingerprint: `f${thing}`,
  };
  const group = { version: "4", groupKey: "{}", status: "firing", receiver: "r", externalURL: "", truncatedAlerts: 0 };
  const reply = await fetch(`${url}/webhooks/alertmanager`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer 0123456789abcdef" },
    body: JSON.stringify({ ...group, groupLabels: {}, commonLabels: {}, commonAnnotations: {}, alerts: [alert] }),
  });
  return decisionsSchema.parse(await reply.json()).decisions[0];
}

const runSchema = z.object({ summary: z.object({ state: z.string(), note: z.string().optional() }) });

async function untilRun(id: string, state: string) {
  for (let look = 0; look < 400; look += 1) {
    const { summary } = runSchema.parse(await api("GET", `/api/runs/${id}`));
    if (summary.state === state) return summary;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Run ${id} never was ${state}.`);
}

it("set while an effect is under way holds back the next one and every new run, outlives the process, and lets all go on when lifted", async () => {
  onArrival = async () => void (await api("PUT", "/api/freeze", { reason: "a release" }));
  const started = await fire("one");
  const held = await untilRun(started?.runId ?? "", "suspended");
  expect(held.note).toMatch(/^Frozen \(all\) by .*: a release$/);
  expect(arrivals).toBe(1);
  expect(await fire("two")).toMatchObject({ decision: "paused", reason: expect.stringContaining("a release") });
  expect(await runtime.metrics.metrics()).toContain("\nrunbookd_frozen 1\n");
  expect(JSON.stringify(await (await fetch(`${url}/readyz`)).json())).toContain("a release");

  await stopProduct();
  await redis.kill();
  await redis.restart();
  const origin = runtime.config.httpAllow[0] ?? "";
  await startProduct(origin);
  expect(await fire("two")).toMatchObject({ decision: "paused" });
  expect(arrivals).toBe(1);

  onArrival = async () => undefined;
  await api("DELETE", "/api/freeze?scope=all");
  await untilRun(started?.runId ?? "", "ended");
  expect(arrivals).toBe(2);
  expect(await runtime.metrics.metrics()).toContain("\nrunbookd_frozen 0\n");
  const late = await fire("two");
  expect(late).toMatchObject({ decision: "enqueued" });
  await untilRun(late?.runId ?? "", "ended");
});

it("by file starts no run while the file is there", async () => {
  await writeFile(join(folder, "freeze"), "Redis is being moved");
  expect(await fire("one")).toMatchObject({ decision: "paused", reason: expect.stringContaining("Redis is being moved") });
  await rm(join(folder, "freeze"));
  let late = await fire("one");
  for (let look = 0; look < 100 && late?.decision === "paused"; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    late = await fire("one");
  }
  expect(late).toMatchObject({ decision: "enqueued" });
  await untilRun(late?.runId ?? "", "ended");
  expect(arrivals).toBe(2);
});

describe("an effect that is under way when the kill switch is set", () => {
  it.each([
    ["the API", async () => void (await api("PUT", "/api/freeze", { reason: "an outage" }))],
    ["the file", async () => writeFile(join(folder, "freeze"), "an outage")],
  ])("is cut, long before its own time is over, and its outcome is asked about as its class says: by %s", async (_name, freeze) => {
    let arrived: () => void = () => undefined;
    const atWork = new Promise<void>((resolve) => (arrived = resolve));
    // A target that is at work for long: it answers byte by byte, so that only the step's own time, or a cut, ends the request.
    onArrival = async (response) => {
      arrived();
      for (response.writeHead(200); !response.destroyed; await new Promise((resolve) => setTimeout(resolve, 100))) response.write(" ");
    };
    const started = await fire("one");
    await atWork;
    await freeze();
    await untilRun(started?.runId ?? "", "in_doubt");
    expect(arrivals).toBe(1);
  });
});
