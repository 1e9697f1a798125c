import type { Redis } from "ioredis";
import { dayMs } from "../../core/duration.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import type { AttackReplay, AttackReplayStore } from "./attack-replay.ts";

const retentionMs = 90 * dayMs;

/** One key per replay, and a hash with the newest scheduled ones. Rejects with StoreUnavailable when Redis does not answer. */
export function createAttackReplayStore(redis: Redis): AttackReplayStore {
  return {
    put: (replay) =>
      available(async () => {
        const text = JSON.stringify(replay);
        const written = await redis.set(keys.attackReplay(replay.id), text, "PX", retentionMs, "NX");
        if (written !== null && replay.begunBy === "schedule") await redis.hset(keys.attackReplaysScheduled, replay.feature, text);
      }),
    read: (id) =>
      available(async () => {
        const text = await redis.get(keys.attackReplay(id));
        return text === null ? undefined : replayOf(text);
      }),
    scheduled: () => available(async () => (await redis.hvals(keys.attackReplaysScheduled)).map((text) => replayOf(text))),
    claim: (feature, forMs) => available(async () => (await redis.set(keys.attackReplayClaim(feature), "1", "PX", forMs, "NX")) !== null),
  };
}

function replayOf(text: string): AttackReplay {
  const replay: AttackReplay = JSON.parse(text);
  return replay;
}
