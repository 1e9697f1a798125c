import { openSync, writeFileSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { createFreezeStore } from "../../src/freeze/redis-store.ts";
import { parseRedisUrl } from "../../src/platform/config/redis-url.ts";
import { connectRedis } from "../../src/platform/redis/connection.ts";
import { runKeys } from "../../src/platform/redis/run-keys.ts";
import { createRunNotices } from "../../src/runs/redis-run-notices.ts";
import { startSentinels } from "../../test/servers/redis-sentinel.ts";
import type { RedisServer } from "../../test/servers/redis-server.ts";
import type { KillSwitch, StoreClock, UnfitTime } from "./history.ts";

/** A primary, a replica and three sentinels, and what can be done to them. Each deed ends when all is as it was, but for who is the primary. */
export interface RedisWorld extends AsyncDisposable {
  readonly url: string;
  /** Follows the primary. */
  readonly redis: Redis;
  /** SIGKILL, and the same server again after `forMs`. */
  kill(forMs: number): Promise<void>;
  full(forMs: number): Promise<void>;
  readOnly(forMs: number): Promise<void>;
  /** SIGKILL, and the same server with a setting that could lose what is accepted, until it is restarted or set right after `forMs`. */
  unfit(forMs: number, nth: number): Promise<UnfitTime>;
  /** Sets the clock of primary and replica back, and right again `forMs` later; undefined: it stays so until the next time, which sets it right. */
  setClockBack(byMs: number, forMs: number | undefined): void;
  /** How far the clock of Redis was off the machine's since when. */
  readonly clocks: readonly StoreClock[];
  /** SIGKILL until the sentinels have promoted the replica; the old primary comes back as its replica. */
  failover(): Promise<void>;
  /** The kill switch of everything, for `forMs`; answers when it surely stood. */
  freeze(forMs: number, undo: boolean): Promise<KillSwitch>;
}

const settings = ["--repl-diskless-sync-delay", "0"];
/** A restart with one of these is one with a store that is unfit. Without its log it is also empty, as it saves nothing else. */
const badSettings = [
  ["appendonly", "no"],
  ["maxmemory-policy", "allkeys-lru"],
  ["appendfsync", "no"],
] as const;

/** Longer than a kill lasts, so that only a failover is one. */
const downAfterMs = 6000;

/** Where a world keeps its clock, and the library of `set-clock.c`, which makes servers follow it; without it their clock is the machine's. */
export interface WorldClock {
  readonly folder: string;
  readonly library: string | undefined;
}

/** Starts it on loopback. */
export async function startRedisWorld({ folder, library }: WorldClock): Promise<RedisWorld> {
  const clockFile = join(folder, "redis-clock");
  const clocks: StoreClock[] = [];
  const microseconds = new BigInt64Array(1);
  writeFileSync(clockFile, microseconds);
  // The servers have the file mapped, so that it must not be made anew.
  const file = openSync(clockFile, "r+");
  const setClock = (offsetMs: number): void => {
    microseconds[0] = BigInt(offsetMs) * 1000n;
    writeSync(file, microseconds, 0, microseconds.byteLength, 0);
    clocks.push({ from: Date.now(), offsetMs });
  };
  setClock(0);
  let settingRight: NodeJS.Timeout | undefined;
  const env = library === undefined ? {} : { LD_PRELOAD: library, RB_CLOCK_OFFSET: clockFile };
  const setup = await startSentinels({ downAfterMs, env });
  const place = parseRedisUrl(setup.url);
  if (place?.kind !== "sentinel") throw new Error("The sentinels have no address.");
  const redis = connectRedis(place, "worker");
  const board = createFreezeStore(redis, { notices: createRunNotices(redis), replicas: 1 });
  let primary: RedisServer = setup.primary;
  let replica: RedisServer = setup.replica;

  const insist = async (work: () => Promise<unknown>): Promise<void> => {
    let last: unknown;
    for (let tries = 0; tries < 200; tries += 1) {
      try {
        await work();
        return;
      } catch (error) {
        last = error;
        await pause(100);
      }
    }
    throw new Error("Redis did not come back.", { cause: last });
  };
  const hasReplica = async (): Promise<void> => {
    const info = await redis.info("replication");
    if (!/connected_slaves:[1-9]/.test(info)) throw new Error(`The replica is not there yet: ${info}`);
  };

  return {
    url: setup.url,
    redis,
    async kill(forMs) {
      await primary.kill();
      await pause(forMs);
      // Without what it was started with first: a promoted replica must not come back as one.
      await primary.restart(settings);
      await insist(hasReplica);
    },
    async full(forMs) {
      await redis.config("SET", "maxmemory", "1");
      await pause(forMs);
      await insist(async () => redis.config("SET", "maxmemory", "0"));
    },
    async readOnly(forMs) {
      // A connection through the sentinels that breaks in between is ready again only when this is a primary.
      const direct = new Redis({ path: primary.socketPath, enableReadyCheck: false });
      try {
        await direct.call("REPLICAOF", "127.0.0.1", "1");
        await pause(forMs);
        await direct.call("REPLICAOF", "NO", "ONE");
      } finally {
        direct.disconnect();
      }
      await insist(hasReplica);
    },
    async unfit(forMs, nth) {
      const [name, value] = badSettings[nth % badSettings.length] ?? badSettings[0];
      const [isRestarted, wasEmpty] = [name === "appendonly" || nth % 2 === 0, name === "appendonly"];
      await primary.kill();
      // A primary that was once a replica has the copy it began with, and would read its old keys from there.
      if (wasEmpty) await rm(join(primary.folder, "dump.rdb"), { force: true });
      await primary.restart([...settings, `--${name}`, value]);
      const from = Date.now();
      await pause(forMs);
      const runs: string[] = [];
      if (wasEmpty) await insist(async () => runs.push(...(await redis.keys(runKeys.run("*")))));
      const to = Date.now();
      if (isRestarted) await primary.restart(settings);
      else await insist(async () => redis.config("SET", name, name === "appendfsync" ? "always" : "noeviction"));
      await insist(hasReplica);
      return { from, to, setting: `${name} ${value}`, runs };
    },
    clocks,
    setClockBack(byMs, forMs) {
      clearTimeout(settingRight);
      const isBack = (clocks.at(-1)?.offsetMs ?? 0) < 0;
      setClock(isBack ? 0 : -byMs);
      if (!isBack && forMs !== undefined) settingRight = setTimeout(() => setClock(0), forMs);
    },
    async failover() {
      await primary.kill();
      await insist(async () => {
        if ((await setup.currentPort()) !== replica.port) throw new Error("The sentinels have not decided.");
      });
      [primary, replica] = [replica, primary];
      await replica.restart(["--replicaof", `127.0.0.1 ${primary.port}`, ...settings]);
      await insist(hasReplica);
    },
    async freeze(forMs, undo) {
      await insist(async () => board.put({ scope: "all", by: "chaos", reason: "a fault", at: Date.now(), undo }));
      const from = Date.now();
      await pause(forMs);
      const to = Date.now();
      await insist(async () => board.remove("all"));
      return { from, to, undo };
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(settingRight);
      redis.disconnect();
      await setup[Symbol.asyncDispose]();
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
