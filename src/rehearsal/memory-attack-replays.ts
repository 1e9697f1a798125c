import type { Clock, Instant } from "../core/clock.ts";
import type { AttackReplay, AttackReplayStore } from "../llm/attacks/attack-replay.ts";

/** Replays in memory, for rehearsals and tests. */
export function createMemoryAttackReplays(clock: Pick<Clock, "now">): AttackReplayStore {
  const replays = new Map<string, AttackReplay>();
  const scheduled = new Map<string, AttackReplay>();
  const claims = new Map<string, Instant>();
  return {
    async put(replay) {
      if (replays.has(replay.id)) return;
      replays.set(replay.id, replay);
      if (replay.begunBy === "schedule") scheduled.set(replay.feature, replay);
    },
    read: async (id) => replays.get(id),
    scheduled: async () => [...scheduled.values()],
    async claim(feature, forMs) {
      if ((claims.get(feature) ?? Number.NEGATIVE_INFINITY) > clock.now()) return false;
      claims.set(feature, clock.now() + forMs);
      return true;
    },
  };
}
