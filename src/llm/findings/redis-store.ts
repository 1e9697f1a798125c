import type { Redis } from "ioredis";
import type { FindingNote } from "../../../packages/sdk/src/wire/findings.ts";
import type { FindingNotes } from "../../core/finding.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";

/** What people said of findings, in one hash. Rejects with StoreUnavailable when Redis does not answer. */
export function createFindingNotes(redis: Redis): FindingNotes {
  return {
    list: () =>
      available(async () => {
        const entries = Object.entries(await redis.hgetall(keys.findingNotes));
        return new Map(entries.map(([id, text]): [string, FindingNote] => [id, JSON.parse(text)]));
      }),
    put: (id, note) =>
      available(async () => {
        await redis.hset(keys.findingNotes, id, JSON.stringify(note));
      }),
  };
}
