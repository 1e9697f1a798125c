import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, expect, it } from "@jest/globals";
import { createRecordedLog } from "../../../test/fakes/recorded-log.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { until } from "../../../test/servers/until.ts";
import { createSystemClock } from "../../core/clock.ts";
import { connectRedis } from "../redis/connection.ts";
import { startScheduledWork } from "./scheduled-work.ts";

const child = join(import.meta.dirname, "../../../dist/test/children/schedule-child.js");
const held = holdRedis(["--appendfsync", "no"]);
const clock = createSystemClock();
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await held.redis.flushall();
});

/** Starts a process with the scheduled work of `schedule-child.ts`; it is killed after the test. */
async function startProcess(name: string): Promise<ChildProcess> {
  const started = spawn(process.execPath, [child, held.server.socketPath, name], { stdio: ["ignore", "pipe", "inherit"] });
  closers.push(() => kill(started));
  await once(started.stdout, "data");
  return started;
}

async function kill(started: ChildProcess): Promise<void> {
  if (started.exitCode !== null || started.signalCode !== null) return;
  const ended = once(started, "exit");
  started.kill("SIGKILL");
  await ended;
}

/** Scheduled work in this process. */
function start(tasks: Parameters<typeof startScheduledWork>[0], upsertIntervalMs = 200) {
  const redis = connectRedis({ socketPath: held.server.socketPath }, "worker");
  const ending = new AbortController();
  const log = createRecordedLog();
  const options = { redis, prefix: "{rb}", clock, log, signal: ending.signal, upsertIntervalMs };
  const work = startScheduledWork(tasks, options);
  closers.push(async () => {
    ending.abort();
    await work.close();
    redis.disconnect();
  });
  return { log };
}

it("ticks once for three processes, and goes on in another when the one that holds a tick is killed", async () => {
  const names = ["a", "b", "c"];
  const processes = new Map(await Promise.all(names.map(async (name) => [name, await startProcess(name)] as const)));
  await held.redis.del("ticks");
  const began = clock.monotonic();
  await until("five ticks", async () => (await held.redis.llen("ticks")) >= 5);
  // Three processes that each tick for themselves would tick three times as often.
  expect(await held.redis.llen("ticks")).toBeLessThanOrEqual((clock.monotonic() - began) / 1000 + 2);

  const [holder = "", ...others] = await held.redis.lrange("holders", "0", "-1");
  expect(others).toEqual([]);
  const holding = processes.get(holder);
  if (holding === undefined) throw new Error(`No process is called "${holder}".`);
  await kill(holding);
  await until("another process holds the tick", async () => (await held.redis.llen("holders")) > 1, 10_000);
  expect(await held.redis.lindex("holders", -1)).not.toBe(holder);
  const ticks = await held.redis.llen("ticks");
  await until("a tick of those that are left", async () => (await held.redis.llen("ticks")) > ticks);
}, 60_000);

it("comes back when Redis has lost the queue's keys, all or only the next job", async () => {
  let ticks = 0;
  start([{ name: "count", intervalMs: 300, run: async () => void (ticks += 1) }]);
  await until("a tick", async () => ticks > 0);
  for (const pattern of ["{rb}:schedule:*", "{rb}:schedule:delayed", "{rb}:schedule:repeat*"]) {
    const keys = await held.redis.keys(pattern);
    expect(keys).not.toEqual([]);
    await held.redis.del(...keys);
    const before = ticks;
    await until(`ticks after the loss of ${pattern}`, async () => ticks >= before + 3, 20_000);
  }
}, 70_000);

it("begins no tick of a task that still runs here, repeats one that failed, and lives beside a version that knows other tasks", async () => {
  const begun: string[] = [];
  let end: () => void = () => undefined;
  const { log } = start([
    {
      name: "long",
      intervalMs: 200,
      async run() {
        begun.push("long");
        await new Promise<void>((resolve) => (end = resolve));
      },
    },
    {
      name: "failing",
      intervalMs: 200,
      async run() {
        begun.push("failing");
        throw new Error("the provider is away");
      },
    },
  ]);
  start([{ name: "of another version", intervalMs: 200, run: async () => void begun.push("of another version") }]);
  const count = (name: string) => begun.filter((one) => one === name).length;
  await until("three failures", async () => count("failing") >= 3);
  expect(count("long")).toBe(1);
  end();
  await until("the next long tick", async () => count("long") >= 2);
  end();
  expect(log.lines).toContainEqual(expect.objectContaining({ level: "warn", fields: expect.objectContaining({ work: "failing" }) }));
  await until("the other version ticks too", async () => count("of another version") >= 1);
}, 30_000);
