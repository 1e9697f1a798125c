import type { Redis } from "ioredis";
import { runKeys } from "./run-keys.ts";

/**
 * Version of the layout of keys and values (docs/redis.md). It rises when the previous version of the program could not
 * read what this one writes. Added fields do not raise it, so that two versions can run side by side during an upgrade.
 * Version 2: keys and fields are named by words. Version 3: limits of batches say `pilotTickets`, a submission that waits is `paused`.
 * Version 4: a trial of a route or prompt names its rollout, and a fallback may end.
 * Version 5: entries of a run that are written together are one record of its journal.
 */
export const schemaVersion = 5;

/** Earlier versions whose data this program reads as it is. A store of one becomes one of this version when the program starts. */
export const readableVersions: readonly number[] = [4];

/** The version that the store is of; an empty store, and one that is read as it is, is marked with this program's. Rejects when Redis does not answer. */
export async function markSchema(redis: Pick<Redis, "hset" | "hsetnx" | "hget" | "time">): Promise<number> {
  await redis.hsetnx(runKeys.meta, "schema", schemaVersion);
  const stored = Number(await redis.hget(runKeys.meta, "schema"));
  if (!readableVersions.includes(stored)) return stored;
  // A process of the earlier version that still works here stops when it judges the store again.
  const [seconds] = await redis.time();
  await redis.hset(runKeys.meta, { schema: schemaVersion, schemaSince: Number(seconds) * 1000 });
  return schemaVersion;
}

/** Milliseconds since the store became one of this version; undefined: it was never one of an earlier version. Rejects when Redis does not answer. */
export async function readSchemaAge(redis: Pick<Redis, "hget" | "time">): Promise<number | undefined> {
  const since = await redis.hget(runKeys.meta, "schemaSince");
  if (since === null) return undefined;
  const [seconds] = await redis.time();
  return Math.max(0, Number(seconds) * 1000 - Number(since));
}

/** The version that the store was written with; undefined: it is empty. Rejects when Redis does not answer. */
export async function readSchema(redis: Pick<Redis, "hget">): Promise<number | undefined> {
  const stored = await redis.hget(runKeys.meta, "schema");
  return stored === null ? undefined : Number(stored);
}
