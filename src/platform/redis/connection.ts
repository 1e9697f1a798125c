import { Cluster, Redis, type RedisOptions } from "ioredis";
import { type Clock, within } from "../../core/clock.ts";
import type { RedisLogin, RedisPlace } from "../config/redis-url.ts";

/** `request`: answers a webhook, so it fails fast. `worker`: waits for Redis to come back. */
export type ConnectionPurpose = "request" | "worker";

/** Where Redis is: a URL, the unix socket of our own server, sentinels that know, or some nodes of a cluster. */
export type RedisAddress =
  | { readonly url: string }
  | { readonly socketPath: string }
  | Extract<RedisPlace, { readonly kind: "sentinel" | "cluster" }>;

/** The address of a Redis that was given; our own has one once it runs. */
export function addressOf(place: Exclude<RedisPlace, { readonly kind: "embedded" }>): RedisAddress {
  switch (place.kind) {
    case "url":
      return { url: place.url };
    case "socket":
      return { socketPath: place.path };
    case "sentinel":
    case "cluster":
      return place;
  }
}

/**
 * A connection with the settings of its purpose. Auto-pipelining stays off: it halves the throughput of checkpoints.
 * The caller owns it and closes it.
 */
export function connectRedis(address: RedisAddress, purpose: ConnectionPurpose): Redis {
  const redis = open(address, optionsFor(purpose));
  // Without a listener ioredis prints; every call reports its own failure, and readiness reports the connection's.
  redis.on("error", () => undefined);
  return redis;
}

type Options = RedisOptions & { readonly replyMapping: "legacy" };

function optionsFor(purpose: ConnectionPurpose): Options {
  // The primary that we knew is a replica now: 1 looks for the new one, 2 also sends the command again.
  const reconnectOnError = (error: Error) => (error.message.startsWith("READONLY") ? (purpose === "request" ? 1 : 2) : false);
  const common = { replyMapping: "legacy", enableReadyCheck: true, reconnectOnError } as const;
  return purpose === "request"
    ? { ...common, enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 2000, connectTimeout: 2000 }
    : { ...common, maxRetriesPerRequest: null };
}

function open(address: RedisAddress, options: Options): Redis {
  if ("url" in address) return new Redis(address.url, options);
  if ("socketPath" in address) return new Redis({ ...options, path: address.socketPath });
  const secure = { ...options, ...loginOf(address.login), ...(address.tls && { tls: {} }) };
  if (address.kind === "sentinel") {
    const { sentinels, master: name, db } = address;
    // Hears of a failover from the sentinels instead of waiting for the dead primary's connection to break.
    const failover = { failoverDetector: true, sentinelRetryStrategy: retryAfter, ...(address.tls && { enableTLSForSentinelMode: true }) };
    return comingBack(new Redis({ ...secure, ...failover, sentinels: [...sentinels], name, db }));
  }
  const { enableOfflineQueue = true, ...perNode } = secure;
  const settings = { redisOptions: perNode, enableOfflineQueue, clusterRetryStrategy: retryAfter, slotsRefreshTimeout: 2000 };
  return asOneRedis(new Cluster([...address.nodes], settings));
}

/**
 * A client that hears of a failover just while it is connecting takes that for its own end and never connects again. It begins anew, unless its owner
 * has closed it; `sentinel.int.test.ts` cuts one off while it connects.
 */
function comingBack(redis: Redis): Redis {
  const disconnect = redis.disconnect.bind(redis);
  let isClosed = false;
  redis.disconnect = (reconnect = false) => {
    isClosed ||= !reconnect;
    disconnect(reconnect);
  };
  // A worker of BullMQ waits on a duplicate.
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (override) => comingBack(duplicate(override));
  redis.on("end", () => {
    if (!isClosed) redis.connect().catch(() => undefined);
  });
  return redis;
}

function loginOf({ username, password }: RedisLogin): RedisLogin {
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

function retryAfter(times: number): number {
  return Math.min(50 * times, 2000);
}

/** A cluster takes every command that we send, as all keys of a call share a hash tag; `cluster.int.test.ts` runs a whole alert on one. */
function asOneRedis(cluster: unknown): Redis {
  if (!actsAsRedis(cluster)) throw new Error("This is no connection to Redis.");
  return cluster;
}

function actsAsRedis(client: unknown): client is Redis {
  return client instanceof Redis || client instanceof Cluster;
}

/** CRC16 of the hash tag `rb`, modulo 16384: the slot of every key of the ledger. A real cluster is asked for it in `cluster.int.test.ts`. */
export const runKeysSlot = 8927;

/**
 * The connection that carries the commands on the ledger's keys: on a cluster that of the node that owns their slot, else the connection itself.
 * What speaks of one server (WAIT, TIME, INFO, CONFIG) must go there; a cluster client sends such commands to any node. Undefined: the owner is not known now.
 */
export function primaryNode(redis: Redis): Redis | undefined {
  const client: unknown = redis;
  if (!(client instanceof Cluster)) return redis;
  const owner = client.slots[runKeysSlot]?.[0];
  return client.nodes("master").find(({ options }) => `${options.host ?? ""}:${options.port ?? ""}` === owner);
}

const readyWithinMs = 5000;

/** Resolves when the connection is ready, or after 5 s: a Redis that is not there yet keeps no process from starting. */
export async function untilReady(redis: Redis, clock: Pick<Clock, "sleep">): Promise<void> {
  if (redis.status === "ready") return;
  const ready = new Promise<void>((resolve) => redis.once("ready", () => resolve()));
  await within(clock, readyWithinMs, ready).catch(() => undefined);
}
