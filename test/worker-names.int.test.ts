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
const preload = join(import.meta.dirname, "../dist/test/children/own-pid-namespace-child.js");
const unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** How a program gets a namespace of its own: from the system, or by being told what it would see in one. */
type Namespace = "made by unshare" | "told to the process";

/** The system's need privileges that a machine may not give; the other is there always. */
const isPermitted = spawnSync("unshare", [...unshare.slice(1), "true"]).status === 0;
const namespaces: readonly Namespace[] = isPermitted ? ["made by unshare", "told to the process"] : ["told to the process"];

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

async function startWorker(namespace: Namespace) {
  const isMade = namespace === "made by unshare";
  const own = isMade ? [...unshare, process.execPath] : [process.execPath, "--import", preload];
  // `env` runs the program that is named first.
  const child = spawn("env", [...own, main, "worker", "--json"], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      REDIS_URL: `unix://${redis.socketPath}`,
      RUNBOOKD_METRICS_PORT: "0",
      RUNBOOKD_RUNBOOKS: folder,
      RUNBOOKD_DATA: folder,
      RUNBOOKD_LOG_LEVEL: "silent",
      RB_NAMESPACE: `pid:[${children.length}]`,
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

describe.each(namespaces)("workers in PID namespaces of their own, %s,", (namespace) => {
  it("have two names, and take no name from one that lives", async () => {
    expect((await startWorker(namespace)).name).toBe(`${hostname()}/0`);
    expect((await startWorker(namespace)).name).toBe(`${hostname()}/1`);
  }, 60_000);

  it("have the name of a killed worker again when its lease is over", async () => {
    const first = await startWorker(namespace);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    expect((await startWorker(namespace)).name).toBe(`${hostname()}/1`);
    await new Promise((resolve) => setTimeout(resolve, 16_000));
    expect((await startWorker(namespace)).name).toBe(`${hostname()}/0`);
  }, 90_000);
});
