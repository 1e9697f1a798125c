import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type LoopbackServer, serveLoopback } from "../demo/simulators/serve-loopback.ts";
import { parseRecord } from "../src/core/journal.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { runKeys } from "../src/platform/redis/run-keys.ts";
import { schemaVersion } from "../src/platform/redis/schema-version.ts";
import { aFiringAlert, postAlerts, webhookToken } from "./servers/post-alerts.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { until } from "./servers/until.ts";

/** `runbookd server` and `runbookd worker` as they ship, ended by SIGTERM while they work. Needs the build. */
const main = join(import.meta.dirname, "../dist/src/cli/main.js");

let redisServer: RedisServer;
let redis: ReturnType<typeof connectRedis>;
let folder: string;
let target: LoopbackServer;
/** Paths that reached the target, in order. */
let arrived: string[];
let children: ChildProcess[];

function documentOf(url: string): string {
  const step = (number: number): string => `${number}. **Step ${number}**: Tell the target.
   - Action: \`http-request\`
     \`\`\`yaml
     url: ${url}/thing?step=${number}
     method: POST
     json: {}
     \`\`\`
`;
  return `---
triggers: [LifeCycle]
target: thing/\${{ alert.labels.thing }}
mode: auto
---
# Runbook: Life cycle

## Scenario
A worker is told to end.

## Procedure

${[1, 2, 3].map(step).join("\n")}`;
}

beforeEach(async () => {
  children = [];
  arrived = [];
  redisServer = await startRedisServer();
  redis = connectRedis({ socketPath: redisServer.socketPath }, "worker");
  folder = await mkdtemp(join(tmpdir(), "rb-life-"));
  target = await serveLoopback((request, response) => {
    arrived.push(request.url ?? "");
    request.resume();
    // Slow, so that the order to end comes in the middle of a step.
    setTimeout(() => response.end("{}"), 1200);
  });
  await writeFile(join(folder, "life-cycle.md"), documentOf(target.url));
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  redis.disconnect();
  await target[Symbol.asyncDispose]();
  await redisServer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function start(command: string, env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [main, command, "--json"], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      REDIS_URL: `unix://${redisServer.socketPath}`,
      RUNBOOKD_PORT: "0",
      RUNBOOKD_METRICS_PORT: "0",
      RUNBOOKD_RUNBOOKS: folder,
      RUNBOOKD_DATA: folder,
      RUNBOOKD_WEBHOOK_TOKEN: webhookToken,
      RUNBOOKD_HTTP_ALLOW: target.url,
      RUNBOOKD_LOG_LEVEL: "silent",
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const exited = once(child, "exit");
  const said = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += String(chunk);
      if (text.includes('"metrics"')) resolve(text);
    });
    void exited.then(([code]) => reject(new Error(`${command} ended with ${String(code)} before it was ready.`)));
  });
  return { child, exited, url: /"api":"([^"]+)"/.exec(said)?.[1] ?? "" };
}

async function fire(url: string, thing: string): Promise<string> {
  const { status, decisions } = await postAlerts(url, [aFiringAlert("LifeCycle", thing)]);
  expect(status).toBe(202);
  return decisions[0]?.runId ?? "";
}

const journalOf = async (runId: string) => (await redis.lrange(runKeys.journal(runId), "0", "-1")).flatMap(parseRecord);

describe("SIGTERM", () => {
  it("lets the step in hand end, gives the run back at its boundary, exits 0; another worker goes on, and no step happens twice", async () => {
    const server = await start("server");
    const first = await start("worker");
    const runId = await fire(server.url, "a");
    await until("the first step has begun", () => arrived.length === 1);
    first.child.kill("SIGTERM");
    expect(await first.exited).toEqual([0, null]);
    expect(arrived).toEqual(["/thing?step=1"]);
    const given = await redis.hmget(runKeys.run(runId), "state", "owner");
    expect(given).toEqual(["queued", null]);
    expect((await journalOf(runId)).filter(({ kind }) => kind === "applied").length).toBe(1);

    await start("worker");
    await until("the run has ended", async () => (await redis.hget(runKeys.run(runId), "state")) === "ended");
    expect(arrived).toEqual(["/thing?step=1", "/thing?step=2", "/thing?step=3"]);
    expect((await journalOf(runId)).filter(({ kind }) => kind === "asked")).toEqual([]);
  }, 40_000);

  it("ends a server that serves: nothing new is taken and it exits 0", async () => {
    const server = await start("server");
    await fire(server.url, "b");
    server.child.kill("SIGTERM");
    expect(await server.exited).toEqual([0, null]);
    await expect(fetch(`${server.url}/readyz`)).rejects.toThrow("fetch failed");
  }, 40_000);

  it("ends a worker inside its grace although Redis is away", async () => {
    const worker = await start("worker", { RUNBOOKD_GRACE_SECONDS: "15" });
    await redisServer.kill();
    const asked = performance.now();
    worker.child.kill("SIGTERM");
    const [code, signal] = await worker.exited;
    expect(signal).toBeNull();
    expect([0, 1]).toContain(code);
    // The grace is a promise to whoever runs us, not a matter of speed.
    expect(performance.now() - asked).toBeLessThan(15_000);
  }, 40_000);
});

describe("a Redis that would lose what was accepted", () => {
  it.each([
    ["maxmemory-policy", "allkeys-lru"],
    ["appendonly", "no"],
  ])(
    "ends the process with 78 before anything is written: %s %s",
    async (setting, value) => {
      await redis.config("SET", setting, value);
      await expect(start("server")).rejects.toThrow("server ended with 78");
      await expect(start("worker")).rejects.toThrow("worker ended with 78");
      expect(await redis.dbsize()).toBe(0);
    },
    40_000,
  );
});

describe("data of another version", () => {
  it("is neither read nor written: the process ends with 78 and says what to do", async () => {
    await redis.hset(runKeys.meta, "schema", "99");
    await expect(start("server")).rejects.toThrow("server ended with 78");
    expect(await redis.keys("*")).toEqual([runKeys.meta]);
  }, 40_000);

  it("is told from ours: an empty store is marked at the first start", async () => {
    await start("worker");
    expect(await redis.hget(runKeys.meta, "schema")).toBe(String(schemaVersion));
  }, 40_000);
});
