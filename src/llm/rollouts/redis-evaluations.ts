import type { Redis } from "ioredis";
import { dayMs } from "../../core/duration.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import type { Evaluation, EvaluationStore } from "./evaluation.ts";

const retentionMs = 90 * dayMs;

/** One key per evaluation. Rejects with StoreUnavailable when Redis does not answer. */
export function createEvaluationStore(redis: Redis): EvaluationStore {
  return {
    put: (evaluation) =>
      available(async () => {
        await redis.set(keys.evaluation(evaluation.id), JSON.stringify(evaluation), "PX", retentionMs, "NX");
      }),
    read: (id) =>
      available(async () => {
        const text = await redis.get(keys.evaluation(id));
        if (text === null) return undefined;
        const evaluation: Evaluation = JSON.parse(text);
        return evaluation;
      }),
  };
}
