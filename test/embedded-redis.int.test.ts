import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { aWaitingRunbook } from "./servers/running-product.ts";
import { until } from "./servers/until.ts";

/** `runbookd up` with its own redis-server, as it ships, and killed. Needs the build. */
const main = join(import.meta.dirname, "../dist/src/cli/main.js");

let folder: string;
let children: ChildProcess[];

beforeEach(async () => {
  children = [];
  folder = await mkdtemp(join(tmpdir(), "rb-own-"));
  await writeFile(join(folder, "own.md"), aWaitingRunbook("OwnAlert"));
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  const pid = await redisPid().catch(() => undefined);
  if (pid !== undefined && isAlive(pid)) process.kill(pid, "SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

function spawnUp(env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [main, "up", "--json"], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      RUNBOOKD_PORT: "0",
      RUNBOOKD_METRICS_PORT: "0",
      RUNBOOKD_RUNBOOKS: folder,
      RUNBOOKD_DATA: folder,
      RUNBOOKD_LOG_LEVEL: "silent",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  child.stderr.on("data", (chunk) => (err += String(chunk)));
  return { child, exited: once(child, "exit"), out: () => out, err: () => err };
}

async function up(env: Readonly<Record<string, string>> = {}) {
  const started = spawnUp(env);
  await until(
    "it is ready",
    () => {
      if (started.child.exitCode !== null) throw new Error(`up ended with ${started.child.exitCode}: ${started.err()}`);
      return started.out().includes('"api"');
    },
    60_000,
  );
  return started;
}

async function redisPid(): Promise<number> {
  return JSON.parse(await readFile(join(folder, "redis", "owner.json"), "utf8")).child.pid;
}

/** A process that has ended and was not waited for yet is not alive. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

async function withRedis<Value>(use: (redis: ReturnType<typeof connectRedis>) => Promise<Value>): Promise<Value> {
  const redis = connectRedis({ socketPath: join(folder, "redis", "redis.sock") }, "worker");
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

it("ends with its parent, whose next start finds its data", async () => {
  const first = await up();
  const pid = await redisPid();
  await withRedis(async (redis) => redis.set("kept", "yes"));
  first.child.kill("SIGKILL");
  await until("the redis-server has ended", () => !isAlive(pid), 10_000);
  await up();
  expect(await withRedis(async (redis) => redis.get("kept"))).toBe("yes");
}, 150_000);

it("is owned by one process: a second one in the same folder is refused with 78 and says why", async () => {
  await up();
  const pid = await redisPid();
  const second = spawnUp();
  expect(await second.exited).toEqual([78, null]);
  expect(second.err()).toMatch(/redis is in use by process \d+ on \S+\. End it, set RUNBOOKD_DATA to another folder, or/);
  expect(isAlive(pid)).toBe(true);
}, 150_000);

it("is found when it was left behind, ended in order, and loses nothing that was written last", async () => {
  // Without setpriv on PATH nothing ends it with its parent.
  const programs = await mkdtemp(join(tmpdir(), "rb-path-"));
  const redisBinary = (process.env["PATH"] ?? "").split(":").map((place) => join(place, "redis-server"));
  const found = await until("redis-server is found", async () => {
    for (const path of redisBinary)
      if (
        await readFile(path).then(
          () => true,
          () => false,
        )
      )
        return path;
    return undefined;
  });
  await writeFile(join(programs, "redis-server"), `#!/bin/sh\nexec ${found} "$@"\n`, { mode: 0o755 });
  const bin = { PATH: `${programs}:/nowhere` };
  await writeFile(join(programs, "sh"), "");
  const first = await up(bin);
  const pid = await redisPid();
  first.child.kill("SIGKILL");
  await first.exited;
  expect(isAlive(pid)).toBe(true);
  await withRedis(async (redis) => redis.set("last", "word"));
  await up(bin);
  await until("the orphan has ended", () => !isAlive(pid), 10_000);
  expect(await redisPid()).not.toBe(pid);
  expect(await withRedis(async (redis) => redis.get("last"))).toBe("word");
  await rm(programs, { recursive: true, force: true });
}, 150_000);

it("is not started beside one that was left behind and does not end", async () => {
  const programs = await mkdtemp(join(tmpdir(), "rb-path-"));
  const bin = { PATH: `${programs}:/nowhere` };
  await writeFile(
    join(programs, "redis-server"),
    '#!/bin/sh\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nexec redis-server "$@"\n',
    {
      mode: 0o755,
    },
  );
  const first = await up(bin);
  const pid = await redisPid();
  first.child.kill("SIGKILL");
  await first.exited;
  process.kill(pid, "SIGSTOP");
  const second = spawnUp(bin);
  expect(await second.exited).toEqual([78, null]);
  expect(second.err()).toContain(`in use by an earlier redis-server (process ${pid}), which does not end. End it, then start again.`);
  process.kill(pid, "SIGCONT");
  await rm(programs, { recursive: true, force: true });
}, 150_000);
