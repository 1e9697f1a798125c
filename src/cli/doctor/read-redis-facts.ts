import type { Redis } from "ioredis";
import { parseInfo, type RedisFacts } from "./judge-redis.ts";

/** What a connected Redis says of itself. Managed ones forbid CONFIG GET; then only INFO speaks. */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts> {
  const info = parseInfo(await redis.info());
  const replies = await Promise.all(
    ["maxmemory-policy", "appendfsync"].map(async (name) => {
      const reply: unknown = await redis.config("GET", name).catch(() => []);
      return Array.isArray(reply) && typeof reply[1] === "string" ? ([[name, reply[1]]] as const) : [];
    }),
  );
  return { info, config: new Map(replies.flat()) };
}
