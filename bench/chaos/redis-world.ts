import type { Redis } from "ioredis";
import { createFreezeStore } from "../../src/freeze/redis-store.ts";
import { parseRedisUrl } from "../../src/platform/config/redis-url.ts";
import { connectRedis } from "../../src/platform/redis/connection.ts";
import { createRunNotices } from "../../src/runs/redis-run-notices.ts";
import { startSentinels } from "../../test/servers/redis-sentinel.ts";
import type { RedisServer } from "../../test/servers/redis-server.ts";

/** A primary, a replica and three sentinels, and what can be done to them. Each deed ends when all is as it was, but for who is the primary. */
export interface RedisWorld extends AsyncDisposable {
  readonly url: string;
  /** Follows the primary. */
  readonly redis: Redis;
  /** SIGKILL, and the same server again after `forMs`. */
  kill(forMs: number): Promise<void>;
  full(forMs: number): Promise<void>;
  readOnly(forMs: number): Promise<void>;
  /** SIGKILL until the sentinels have promoted the replica; the old primary comes back as its replica. */
  failover(): Promise<void>;
  /** The kill switch of everything, for `forMs`; answers when it surely stood. */
  freeze(forMs: number, undo: boolean): Promise<{ readonly from: number; readonly to: number; readonly undo: boolean }>;
}

const settings = ["--repl-diskless-sync-delay", "0"];

/** Longer than a kill lasts, so that only a failover is one. */
const downAfterMs = 6000;

/** Starts it on loopback. */
export async function startRedisWorld(): Promise<RedisWorld> {
  const setup = await startSentinels({ downAfterMs });
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
      await redis.call("REPLICAOF", "127.0.0.1", "1");
      await pause(forMs);
      await insist(async () => redis.call("REPLICAOF", "NO", "ONE"));
      await insist(hasReplica);
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
      redis.disconnect();
      await setup[Symbol.asyncDispose]();
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
