import type { Redis } from "ioredis";
import type { FindingComment } from "../../../packages/sdk/src/wire/findings.ts";
import type { FindingCommentStore } from "../../core/finding.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";

/** What people said of findings, in one hash. Rejects with StoreUnavailable when Redis does not answer. */
export function createFindingCommentStore(redis: Redis): FindingCommentStore {
  return {
    list: () =>
      available(async () => {
        const entries = Object.entries(await redis.hgetall(keys.findingComments));
        return new Map(entries.map(([id, text]): [string, FindingComment] => [id, JSON.parse(text)]));
      }),
    put: (id, comment) =>
      available(async () => {
        await redis.hset(keys.findingComments, id, JSON.stringify(comment));
      }),
  };
}
