import type { Redis } from "ioredis";
import { runKeys } from "./run-keys.ts";

/**
 * Version of the layout of keys and values (docs/redis.md). It rises when the previous version of the program could not
 * read what this one writes. Added fields do not raise it, so that two versions can run side by side during an upgrade.
 * Version 2: keys and fields are named by words. Version 3: limits of batches say `pilotTickets`, a submission that waits is `paused`.
 * Version 4: a trial of a route or prompt names its rollout, and a fallback may end.
 */
export const schemaVersion = 4;

/** The version that the store was written with; an empty store is marked with this program's. Rejects when Redis does not answer. */
export async function markSchema(redis: Pick<Redis, "hsetnx" | "hget">): Promise<number> {
  await redis.hsetnx(runKeys.meta, "schema", schemaVersion);
  return Number(await redis.hget(runKeys.meta, "schema"));
}

/** The version that the store was written with; undefined: it is empty. Rejects when Redis does not answer. */
export async function readSchema(redis: Pick<Redis, "hget">): Promise<number | undefined> {
  const stored = await redis.hget(runKeys.meta, "schema");
  return stored === null ? undefined : Number(stored);
}
