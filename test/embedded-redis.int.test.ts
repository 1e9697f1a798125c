import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { createSystemClock } from "../src/core/clock.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { askSocket } from "../src/platform/redis/embedded-server.ts";
import { aWaitingRunbook } from "./servers/running-product.ts";
import { until } from "./servers/until.ts";

/** `runbookd up` with its own redis-server, as it ships, and killed. Needs the build. */
const main = join(import.meta.dirname, "../dist/src/cli/main.js");

let folder: string;
let children: ChildProcess[];
/** Servers that a test left behind. */
let left: number[];

beforeEach(async () => {
  children = [];
  left = [];
  folder = await mkdtemp(join(tmpdir(), "rb-own-"));
  await writeFile(join(folder, "own.md"), aWaitingRunbook("OwnAlert"));
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  const last = await redisPid().catch(() => undefined);
  for (const pid of [...left, ...(last === undefined ? [] : [last])]) if (isAlive(pid)) process.kill(pid, "SIGKILL");
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

/**
 * PATH with a setpriv that binds no process to its parent. To leave setpriv out of PATH is not enough: it is looked for in the system's folders
 * too, and a server that ends with its parent may be stopped too late to be left behind.
 */
async function withoutParentBinding(): Promise<{ readonly PATH: string }> {
  const programs = join(folder, "programs");
  await mkdir(programs, { recursive: true });
  await writeFile(join(programs, "setpriv"), '#!/bin/sh\nshift 3\nexec "$@"\n', { mode: 0o755 });
  return { PATH: `${programs}:${process.env["PATH"] ?? ""}` };
}

/** A redis-server that its killed parent left, and that neither answers nor ends. */
async function leaveStopped(env: Readonly<Record<string, string>>): Promise<number> {
  const first = await up(env);
  const pid = await redisPid();
  left.push(pid);
  first.child.kill("SIGKILL");
  await first.exited;
  process.kill(pid, "SIGSTOP");
  expect(isAlive(pid)).toBe(true);
  return pid;
}

const doesNotEnd = (pid: number) => `in use by an earlier redis-server (process ${pid}), which does not end. End it, then start again.`;

it("is found when it was left behind, ended in order, and loses nothing that was written last", async () => {
  const env = await withoutParentBinding();
  const first = await up(env);
  const pid = await redisPid();
  left.push(pid);
  first.child.kill("SIGKILL");
  await first.exited;
  expect(isAlive(pid)).toBe(true);
  await withRedis(async (redis) => redis.set("last", "word"));
  await up(env);
  expect(isAlive(pid)).toBe(false);
  expect(await redisPid()).not.toBe(pid);
  expect(await withRedis(async (redis) => redis.get("last"))).toBe("word");
}, 150_000);

it("is not started beside one that was left behind and does not end, however often it is tried", async () => {
  const env = await withoutParentBinding();
  const pid = await leaveStopped(env);
  for (let tries = 0; tries < 2; tries += 1) {
    const next = spawnUp(env);
    expect(await next.exited).toEqual([78, null]);
    expect(next.err()).toContain(doesNotEnd(pid));
    expect(isAlive(pid)).toBe(true);
  }
  process.kill(pid, "SIGCONT");
  await up(env);
  expect(isAlive(pid)).toBe(false);
}, 200_000);

it.each([
  ["the record of its owner", ["owner.json"]],
  ["the record of its owner and its socket", ["owner.json", "redis.sock"]],
])(
  "is found when it was left behind silent without %s",
  async (_name, files) => {
    const env = await withoutParentBinding();
    const pid = await leaveStopped(env);
    for (const file of files) await rm(join(folder, "redis", file));
    const second = spawnUp(env);
    expect(await second.exited).toEqual([78, null]);
    expect(second.err()).toContain(doesNotEnd(pid));
    process.kill(pid, "SIGCONT");
    await until("it has ended, as it was asked to", () => !isAlive(pid));
  },
  150_000,
);

it("is not started beside a server that cannot be identified and answers nothing", async () => {
  const socketPath = join(folder, "redis", "redis.sock");
  await mkdir(join(folder, "redis"));
  const silent = createServer((socket) => socket.resume()).listen(socketPath);
  await once(silent, "listening");
  const started = spawnUp();
  expect(await started.exited).toEqual([78, null]);
  expect(started.err()).toMatch(
    /is in use by a server that accepts connections on \S+redis\.sock .*\. Find it \(fuser .*end it, then start again, or set/,
  );
  silent.close();
  await once(silent, "close");
  await up();
}, 150_000);

it("tells a server that answers from one that is silent and from none", async () => {
  const clock = createSystemClock();
  const ask = async (name: string) => askSocket(join(folder, name), "PING", clock);
  const servers = Object.entries({
    answers: createServer((socket) => socket.end("-LOADING Redis is loading the dataset in memory\r\n")),
    silent: createServer((socket) => socket.resume()),
    closing: createServer((socket) => socket.destroy()),
  });
  for (const [name, server] of servers) await once(server.listen(join(folder, name)), "listening");
  await writeFile(join(folder, "a-file"), "");
  const names = ["answers", "silent", "closing", "a-file", "nothing", "own.md/below"];
  const answers = await Promise.all(names.map(async (name) => [name, await ask(name)]));
  for (const [, server] of servers) server.close();
  expect(Object.fromEntries(answers)).toEqual({
    answers: "answers",
    silent: "silent",
    closing: "silent",
    "a-file": "absent",
    nothing: "absent",
    "own.md/below": "absent",
  });
}, 30_000);
