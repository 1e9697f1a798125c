import { Redis, type RedisOptions } from "ioredis";

/** `request`: answers a webhook, so it fails fast. `worker`: waits for Redis to come back. */
export type ConnectionPurpose = "request" | "worker";

/** Where Redis is: a URL, or the unix socket of our own server. */
export type RedisAddress = { readonly url: string } | { readonly socketPath: string };

/**
 * A connection with the settings of its purpose. Auto-pipelining stays off: it halves the throughput of checkpoints.
 * The caller owns it and closes it.
 */
export function connectRedis(address: RedisAddress, purpose: ConnectionPurpose): Redis {
  const options: RedisOptions & { replyMapping: "legacy" } =
    purpose === "request"
      ? {
          replyMapping: "legacy",
          enableOfflineQueue: false,
          maxRetriesPerRequest: 1,
          commandTimeout: 2000,
          connectTimeout: 2000,
          enableReadyCheck: true,
        }
      : {
          replyMapping: "legacy",
          maxRetriesPerRequest: null,
          enableReadyCheck: true,
          reconnectOnError: (error: Error) => (error.message.startsWith("READONLY") ? 2 : false),
        };
  const redis = "url" in address ? new Redis(address.url, options) : new Redis({ ...options, path: address.socketPath });
  // Without a listener ioredis prints; every call reports its own failure, and readiness reports the connection's.
  redis.on("error", () => undefined);
  return redis;
}

const readyWithinMs = 5000;

/** Resolves when the connection is ready, or after 5 s: a Redis that is not there yet keeps no process from starting. */
export async function untilReady(redis: Redis): Promise<void> {
  if (redis.status === "ready") return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, readyWithinMs);
    redis.once("ready", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
