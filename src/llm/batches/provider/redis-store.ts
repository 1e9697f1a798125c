import type { Redis } from "ioredis";
import { z } from "zod";
import { dayMs } from "../../../core/duration.ts";
import { available } from "../../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../../platform/redis/workload-keys.ts";
import {
  type ClosedProviderBatch,
  type OpenProviderBatch,
  openStates,
  type ProviderBatchStore,
  type ProviderDelta,
} from "./open-provider-batch.ts";
import { submissionScripts } from "./redis-scripts.ts";

const retentionMs = 35 * dayMs;

const instant = z.number();
const openShape: z.ZodType<OpenProviderBatch> = z.object({
  key: z.string(),
  provider: z.string(),
  batchId: z.string(),
  items: z.array(z.object({ customId: z.string(), ticketId: z.string(), resubmissions: z.number() })),
  state: z.enum(openStates),
  reason: z.string(),
  notBefore: instant,
  startedAt: z.exactOptional(instant),
  id: z.exactOptional(z.string()),
  endedAt: z.exactOptional(instant),
  cancel: z.boolean(),
  revision: z.number(),
});
const count = z.number();
const closedShape: z.ZodType<ClosedProviderBatch> = z.object({
  key: z.string(),
  provider: z.string(),
  batchId: z.string(),
  startedAt: instant,
  endedAt: instant,
  closedAt: instant,
  counts: z.object({ succeeded: count, resubmit: count, pause: count, dead: count, person: count, canceled: count, wait: count }),
  costMicroUsd: count,
  unpriced: count,
  unknownIds: count,
  doubleIds: count,
  conflictingIds: count,
  unreadableLines: count,
});
const deltaShape: z.ZodType<ProviderDelta> = z.object({
  provider: z.string(),
  at: instant,
  oursMicroUsd: count,
  providerMicroUsd: count,
  deltaRatio: z.exactOptional(count),
});

/** Submissions to providers in Redis. Rejects with StoreUnavailable when Redis does not answer. */
export function createProviderBatchStore(redis: Redis): ProviderBatchStore {
  const openKeys = { openSubmissions: keys.providerOpen, revisions: keys.providerRevisions } as const;
  const allKeys = { ...openKeys, closedSubmissions: keys.providerClosed } as const;
  const all = async <Value>(key: string, shape: z.ZodType<Value>): Promise<Value[]> =>
    Object.values(await redis.hgetall(key)).map((text) => shape.parse(JSON.parse(text)));
  const settled = async () => (await all(keys.providerClosed, closedShape)).sort((a, b) => a.closedAt - b.closedAt);
  return {
    open: (batch) =>
      available(async () => {
        const args = { key: batch.key, submission: JSON.stringify({ ...batch, revision: 0 }) };
        const result = await submissionScripts.open.run(redis, { keys: allKeys, args });
        return result === 1 ? "opened" : "known";
      }),
    list: () => available(async () => (await all(keys.providerOpen, openShape)).sort((a, b) => (a.key < b.key ? -1 : 1))),
    put: (batch) =>
      available(async () => {
        const next = { ...batch, revision: batch.revision + 1 };
        const args = { key: batch.key, expectedRevision: batch.revision, submission: JSON.stringify(next) };
        return (await submissionScripts.put.run(redis, { keys: openKeys, args })) === 1 ? next : undefined;
      }),
    close: (batch, closed) =>
      available(async () => {
        const args = { key: batch.key, expectedRevision: batch.revision, closed: JSON.stringify(closed) };
        const result = await submissionScripts.close.run(redis, { keys: allKeys, args });
        const old = (await settled()).filter(({ closedAt }) => closedAt < closed.closedAt - retentionMs).map(({ key }) => key);
        if (old.length > 0) await redis.hdel(keys.providerClosed, ...old);
        return result === 1;
      }),
    closed: () => available(settled),
    putDelta: (delta) => available(async () => void (await redis.hset(keys.providerDeltas, delta.provider, JSON.stringify(delta)))),
    deltas: () => available(async () => (await all(keys.providerDeltas, deltaShape)).sort((a, b) => (a.provider < b.provider ? -1 : 1))),
  };
}
