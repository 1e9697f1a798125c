import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { aWaitingRunbook } from "./servers/running-product.ts";
import { until } from "./servers/until.ts";

/** Workers as they ship, each in a PID namespace of its own, where each is process 1 under the same host name. Needs the build. */
const main = join(import.meta.dirname, "../dist/src/cli/main.js");
const unshare = ["--pid", "--fork", "--kill-child", "--mount-proc"];

/** Namespaces need privileges that a machine may not give; `redis-worker-slot.int.test.ts` shows the same without them. */
const isPermitted = spawnSync("unshare", [...unshare, "true"]).status === 0;

let redis: RedisServer;
let folder: string;
let children: ChildProcess[];

beforeEach(async () => {
  children = [];
  redis = await startRedisServer();
  folder = await mkdtemp(join(tmpdir(), "rb-names-"));
  await writeFile(join(folder, "names.md"), aWaitingRunbook("NamesAlert"));
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map(async (child) => (child.exitCode ?? child.signalCode) === null && once(child, "exit")));
  await redis[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function startWorker() {
  const child = spawn("unshare", [...unshare, process.execPath, main, "worker", "--json"], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      REDIS_URL: `unix://${redis.socketPath}`,
      RUNBOOKD_METRICS_PORT: "0",
      RUNBOOKD_RUNBOOKS: folder,
      RUNBOOKD_DATA: folder,
      RUNBOOKD_LOG_LEVEL: "silent",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  let out = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  const name = await until("the worker is ready", () => {
    if (child.exitCode !== null) throw new Error(`The worker ended with ${child.exitCode}.`);
    return /"worker":"([^"]+)"/.exec(out)?.[1];
  });
  return { child, name };
}

(isPermitted ? describe : describe.skip)("workers in PID namespaces of their own", () => {
  it("have two names, and take no name from one that lives", async () => {
    expect((await startWorker()).name).toBe(`${hostname()}/0`);
    expect((await startWorker()).name).toBe(`${hostname()}/1`);
  }, 60_000);

  it("have the name of a killed worker again when its lease is over", async () => {
    const first = await startWorker();
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    expect((await startWorker()).name).toBe(`${hostname()}/1`);
    await new Promise((resolve) => setTimeout(resolve, 16_000));
    expect((await startWorker()).name).toBe(`${hostname()}/0`);
  }, 90_000);
});
