import type { Redis } from "ioredis";
import { primaryNode } from "../../platform/redis/connection.ts";
import { parseInfo, type RedisFacts } from "./judge-redis.ts";

/** What a connected Redis says of itself. Managed ones forbid CONFIG GET; then only INFO speaks. */
export async function readRedisFacts(client: Redis): Promise<RedisFacts> {
  const redis = primaryNode(client);
  if (redis === undefined) throw new Error("no node of the cluster owns the slot of our keys");
  const info = parseInfo(await redis.info());
  const results = await Promise.all(
    ["maxmemory-policy", "appendfsync"].map(async (name) => {
      const result: unknown = await redis.config("GET", name).catch(() => []);
      return Array.isArray(result) && typeof result[1] === "string" ? ([[name, result[1]]] as const) : [];
    }),
  );
  return { info, config: new Map(results.flat()) };
}
