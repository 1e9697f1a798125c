import { type Redis, ReplyError } from "ioredis";
import { primaryNode } from "./connection.ts";
import { parseInfo, type RedisFacts } from "./judge-redis.ts";
import type { StoreFacts } from "./judge-store.ts";
import { readSchema } from "./schema-version.ts";

/** What a connected Redis says of itself. Managed ones forbid CONFIG GET; then only INFO speaks. */
export async function readRedisFacts(client: Redis): Promise<RedisFacts> {
  const redis = primaryNode(client);
  if (redis === undefined) throw new Error("no node of the cluster owns the slot of our keys");
  const info = parseInfo(await redis.info());
  const results = await Promise.all(
    ["maxmemory-policy", "appendfsync"].map(async (name) => {
      const result: unknown = await redis.config("GET", name).catch((error: unknown) => {
        if (error instanceof ReplyError) return [];
        throw error;
      });
      return Array.isArray(result) && typeof result[1] === "string" ? ([[name, result[1]]] as const) : [];
    }),
  );
  return { info, config: new Map(results.flat()) };
}

/** What the judgement of a store rests on. Nothing is written. Rejects when Redis does not answer. */
export async function readStoreFacts(client: Redis): Promise<StoreFacts> {
  const facts = await readRedisFacts(client);
  return { ...facts, schema: await readSchema(client) };
}
