import type { Redis } from "ioredis";
import type { Evidence } from "../../../packages/sdk/src/wire/evidence.ts";
import { dayMs } from "../../core/duration.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import type { EvidenceStore } from "./evidence.ts";

/** As long as the audit log keeps the hash. */
const retentionMs = 400 * dayMs;
/** Ids that the list knows. */
const maxListed = 1000;

/** One key per evidence. Rejects with StoreUnavailable when Redis does not answer. */
export function createEvidenceStore(redis: Redis): EvidenceStore {
  const read = async (id: string): Promise<Evidence | undefined> => {
    const text = await redis.get(keys.evidence(id));
    if (text === null) return undefined;
    const evidence: Evidence = JSON.parse(text);
    return evidence;
  };
  return {
    put: (evidence) =>
      available(async () => {
        const { id, at } = evidence.manifest;
        await redis.set(keys.evidence(id), JSON.stringify(evidence), "PX", retentionMs, "NX");
        await redis.zadd(keys.evidenceIndex, "NX", at, id);
        await redis.zremrangebyrank(keys.evidenceIndex, 0, -maxListed - 1);
        return (await read(id)) ?? evidence;
      }),
    read: (id) => available(async () => read(id)),
    seal: (id) =>
      available(async () => {
        await redis.set(keys.evidenceSealed(id), "1", "PX", retentionMs);
      }),
    isSealed: (id) => available(async () => (await redis.exists(keys.evidenceSealed(id))) === 1),
    list: (limit) => available(async () => redis.zrange(keys.evidenceIndex, "0", String(limit - 1), "REV")),
  };
}
