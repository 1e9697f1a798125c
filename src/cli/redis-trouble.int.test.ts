import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../config/load-config.ts";
import { connectRedis } from "../redis/connection.ts";
import { type RedisServer, startRedisServer } from "../testing/redis-server.ts";
import { createHand } from "../../workers/hand.ts";
import { startRunWorker } from "../../workers/run.ts";
import { openRuntime, type Runtime } from "./runtime.ts";
import { startServer } from "./start-server.ts";
import { startWorker } from "./start-worker.ts";

/** The product's own wiring over a Redis that goes away, fills up, or becomes a replica. */
const document = `---
triggers: [TroubleAlert]
target: thing/\${{ alert.labels.thing }}
mode: auto
---
# Runbook: Trouble

## Scenario
Redis is in trouble.

## Procedure

1. **Wait a moment**: Nothing else.
   - Action: \`wait\`
     \`\`\`yaml
     for: 10ms
     \`\`\`
`;

let redis: RedisServer;
let folder: string;
let runtime: Runtime;
let url: string;

beforeEach(async () => {
  redis = await startRedisServer();
  folder = await mkdtemp(join(tmpdir(), "rb-trouble-"));
  await writeFile(join(folder, "trouble.md"), document);
  const loaded = loadConfig({
    env: {
      REDIS_URL: `unix://${redis.socketPath}`,
      RUNBOOKD_PORT: "0",
      RUNBOOKD_RUNBOOKS: folder,
      RUNBOOKD_DATA: folder,
      RUNBOOKD_WEBHOOK_TOKEN: "0123456789abcdef",
      RUNBOOKD_LOG_LEVEL: "silent",
    },
    readFile: () => "",
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const sources = { version: "0.0.0", workingDirectory: folder, path: "", signal: new AbortController().signal };
  runtime = await openRuntime(loaded.config, sources);
  const { server } = await startServer(runtime, sources);
  url = `http://127.0.0.1:${server.address.port}`;
});

afterEach(async () => {
  runtime.ending.abort();
  await runtime.closers.close();
  await redis[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const bodySchema = z.object({ decisions: z.array(z.object({ decision: z.string(), runId: z.string().optional() })).optional() });

async function post(thing: string) {
  const labels = { alertname: "TroubleAlert", thing };
  const alert = {
    status: "firing",
    labels,
    annotations: {},
    startsAt: new Date().toISOString(),
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "",
    fingerprint: `f${thing}`,
  };
  const reply = await fetch(`${url}/webhooks/alertmanager`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer 0123456789abcdef" },
    body: JSON.stringify({
      version: "4",
      groupKey: "{}",
      status: "firing",
      receiver: "r",
      groupLabels: {},
      commonLabels: {},
      commonAnnotations: {},
      externalURL: "",
      truncatedAlerts: 0,
      alerts: [alert],
    }),
  });
  return {
    status: reply.status,
    retryAfter: reply.headers.get("retry-after"),
    body: bodySchema.parse(await reply.json()),
  };
}

/** Alertmanager's way: again and again until it is taken. */
async function postUntilAccepted(thing: string) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const reply = await post(thing);
    if (reply.status === 202) return reply;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("The webhook was never accepted.");
}

/** Every command that Redis has answered with an error since it started. */
async function errorReplies(own: ReturnType<typeof connectRedis>): Promise<number> {
  return Number(/total_error_replies:(\d+)/.exec(await own.info("stats"))?.[1]);
}

async function readiness(): Promise<number> {
  return (await fetch(`${url}/readyz`)).status;
}

async function ended(runId: string): Promise<boolean> {
  const own = connectRedis({ socketPath: redis.socketPath }, "worker");
  try {
    for (let look = 0; look < 100; look += 1) {
      if ((await own.hget(`{rb}:run:${runId}`, "state")) === "ended") return true;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return false;
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
    const after = await postUntilAccepted("during");
    await startWorker(runtime);
    expect(await ended(before.body.decisions?.[0]?.runId ?? "")).toBe(true);
    expect(await ended(after.body.decisions?.[0]?.runId ?? "")).toBe(true);
  }, 40_000);

  it("full: 503, and accepted again when there is room", async () => {
    const own = connectRedis({ socketPath: redis.socketPath }, "worker");
    await own.config("SET", "maxmemory", "1");
    expect((await post("full")).status).toBe(503);
    await own.config("SET", "maxmemory", "0");
    expect((await postUntilAccepted("full")).body.decisions?.[0]?.decision).toBe("enqueued");
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
        {
          async execute(runId) {
            // Work is in hand when Redis turns: a worker that has drained its queue would only wait.
            await new Promise((resolve) => setTimeout(resolve, 200));
            executed.push(runId);
            return "ended";
          },
        },
        {
          redis: runtime.connect("worker"),
          concurrency: 5,
          hand: createHand(5),
          drain: runtime.ending.signal,
          log: { executed: () => undefined, failed: () => undefined, queueError: () => undefined },
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
      const { body } = await postUntilAccepted("later");
      for (let look = 0; look < 200 && !executed.includes(body.decisions?.[0]?.runId ?? ""); look += 1) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(executed).toContain(body.decisions?.[0]?.runId);
      await worker.close();
      own.disconnect();
    },
    40_000,
  );
});
