import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { loadConfig } from "../config/load-config.ts";
import { connectRedis } from "../redis/connection.ts";
import { runKeys } from "../redis/run-keys.ts";
import { type RedisServer, startRedisServer } from "../testing/redis-server.ts";
import { openRuntime, type Runtime } from "./runtime.ts";
import { startServer } from "./start-server.ts";
import { startWorker } from "./start-worker.ts";

/** Duplicates and a storm through the product's own wiring: webhook, Redis, worker. */
const document = `---
triggers: [StormAlert]
target: thing/\${{ alert.labels.thing }}
mode: auto
---
# Runbook: Storm

## Scenario
Everything fires.

## Procedure

1. **Look**: Nothing is changed.
   - Action: \`wait\`
     \`\`\`yaml
     for: 1ms
     \`\`\`
`;

// The limit binds runbooks that raise something.
const limited = document
  .replace("StormAlert", "LimitedAlert")
  .replace("mode: auto", "mode: auto\nlimits: { runs_per_hour_runbook: 5 }")
  .replace("`wait`", "`resume-batches`")
  .replace("for: 1ms", "budget: nobody");

let redisServer: RedisServer;
let redis: ReturnType<typeof connectRedis>;
let folder: string;
let runtime: Runtime;
let url: string;

beforeAll(async () => {
  redisServer = await startRedisServer();
  redis = connectRedis({ socketPath: redisServer.socketPath }, "worker");
  folder = await mkdtemp(join(tmpdir(), "rb-storm-"));
  await writeFile(join(folder, "storm.md"), document);
  await writeFile(join(folder, "limited.md"), limited);
  const loaded = loadConfig({
    env: {
      REDIS_URL: `unix://${redisServer.socketPath}`,
      RUNBOOKD_PORT: "0",
      RUNBOOKD_RUNBOOKS: folder,
      RUNBOOKD_DATA: folder,
      RUNBOOKD_WEBHOOK_TOKEN: "0123456789abcdef",
      RUNBOOKD_LOG_LEVEL: "silent",
    },
    // What is asked for here is whether anything is lost, not what a storm may do: the limits are lifted.
    yaml: "guardrails: { runs_per_hour: 1000000, runs_per_hour_runbook: 1000000 }",
    readFile: () => "",
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const sources = { version: "0.0.0", workingDirectory: folder, path: "", signal: new AbortController().signal };
  runtime = await openRuntime(loaded.config, sources);
  const { server } = await startServer(runtime, sources);
  url = `http://127.0.0.1:${server.address.port}`;
  await startWorker(runtime);
}, 30_000);

afterAll(async () => {
  runtime.ending.abort();
  await runtime.closers.close();
  redis.disconnect();
  await redisServer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const startsAt = new Date(Date.now() - 60_000).toISOString();
const bodySchema = z.object({ decisions: z.array(z.object({ decision: z.string(), runId: z.string().optional() })) });

function alertOf(fingerprint: string, change: { readonly startsAt?: string; readonly thing?: string; readonly name?: string } = {}) {
  return {
    status: "firing",
    labels: { alertname: change.name ?? "StormAlert", thing: change.thing ?? fingerprint },
    annotations: {},
    startsAt: change.startsAt ?? startsAt,
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "",
    fingerprint,
  };
}

/** Decisions; undefined when the connection was cut or the answer is 503. */
async function post(alerts: readonly object[], signal?: AbortSignal) {
  const common = { groupLabels: {}, commonLabels: {}, commonAnnotations: {}, externalURL: "", truncatedAlerts: 0 };
  try {
    const reply = await fetch(`${url}/webhooks/alertmanager`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer 0123456789abcdef" },
      body: JSON.stringify({ version: "4", groupKey: "{}", status: "firing", receiver: "r", ...common, alerts }),
      ...(signal !== undefined && { signal }),
    });
    return reply.status === 202 ? bodySchema.parse(await reply.json()).decisions : undefined;
  } catch {
    return undefined;
  }
}

async function postUntilAccepted(alerts: readonly object[]) {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const decisions = await post(alerts);
    if (decisions !== undefined) return decisions;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("The webhook was never accepted.");
}

const countRuns = async (): Promise<number> => redis.zcard(runKeys.runs);

async function untilIdle(): Promise<void> {
  for (let look = 0; look < 600; look += 1) {
    if ((await redis.scard(runKeys.openRuns)) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("Some runs never ended.");
}

describe("duplicates", () => {
  it("ten at once, from two Alertmanagers with clocks apart, and ten later are one run", async () => {
    const before = await countRuns();
    const apart = new Date(Date.parse(startsAt) + 30_000).toISOString();
    const twins = Array.from({ length: 10 }, (_, index) => alertOf("twin", index % 2 === 0 ? {} : { startsAt: apart }));
    const answers = await Promise.all(twins.map(async (alert) => postUntilAccepted([alert])));
    await untilIdle();
    for (const alert of twins) answers.push(await postUntilAccepted([alert]));
    expect(answers.flat().filter(({ decision }) => decision === "enqueued").length).toBe(1);
    expect((await countRuns()) - before).toBe(1);
  }, 30_000);

  it("after a connection that was cut before the answer came join the run that was accepted", async () => {
    const before = await countRuns();
    for (let nth = 0; nth < 30; nth += 1) {
      const alert = alertOf(`cut-${nth}`);
      await post([alert], AbortSignal.timeout(1 + (nth % 6)));
      await postUntilAccepted([alert]);
    }
    expect((await countRuns()) - before).toBe(30);
  }, 30_000);

  it("of one target under different fingerprints meet in one open run or start one after the other, never two at once", async () => {
    const before = await countRuns();
    const group = Array.from({ length: 20 }, (_, index) => alertOf(`same-${index}`, { thing: "shared" }));
    const decisions = await postUntilAccepted(group);
    expect(decisions.filter(({ decision }) => decision === "enqueued").length).toBe(1);
    expect((await countRuns()) - before).toBe(1);
    expect(new Set(decisions.map(({ runId }) => runId)).size).toBe(1);
  }, 30_000);
});

it("a storm of 2,000 alerts and all of them again: each has its run, each run ends, no duplicate starts one", async () => {
  const before = await countRuns();
  const alerts = Array.from({ length: 2000 }, (_, index) => alertOf(`storm-${index}`));
  const groups = Array.from({ length: 40 }, (_, at) => alerts.slice(at * 50, (at + 1) * 50));
  const first = (await Promise.all(groups.map(async (group) => postUntilAccepted(group)))).flat();
  expect(first.length).toBe(2000);
  const again = (await Promise.all(groups.map(async (group) => postUntilAccepted(group)))).flat();
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
  const decisions = await postUntilAccepted(alerts);
  const counts = new Map<string, number>();
  for (const { decision } of decisions) counts.set(decision, (counts.get(decision) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toEqual({ enqueued: 5, refused: 95 });
  expect((await countRuns()) - before).toBe(5);
});
