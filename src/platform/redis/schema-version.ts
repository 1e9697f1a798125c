import type { Redis } from "ioredis";
import { runKeys } from "./run-keys.ts";

/**
 * How keys and values are laid out. Raised when a program of the version before could no longer read what is written;
 * fields that are only added leave it as it is, so that two versions can work side by side while one replaces the other.
 */
export const schemaVersion = 1;

/** The version that the store was written with; an empty store is marked with ours. Rejects when Redis does not answer. */
export async function markSchema(redis: Pick<Redis, "hsetnx" | "hget">): Promise<number> {
  await redis.hsetnx(runKeys.meta, "schema", schemaVersion);
  return Number(await redis.hget(runKeys.meta, "schema"));
}

/** The version that the store was written with; undefined: it is empty. Rejects when Redis does not answer. */
export async function readSchema(redis: Pick<Redis, "hget">): Promise<number | undefined> {
  const found = await redis.hget(runKeys.meta, "schema");
  return found === null ? undefined : Number(found);
}
