import type { Redis } from "ioredis";
import { failOverdueTickets } from "../llm/rollouts/jobs.ts";
import { createRolloutStore } from "../llm/rollouts/redis-store.ts";
import type { ScheduledTask } from "../platform/queue/scheduled-work.ts";
import type { Runtime } from "./runtime.ts";

const upkeepIntervalMs = 10_000;

/** What rollouts need besides the runs that drive them, for one process of all. */
export function scheduleRolloutUpkeep({ config, clock }: Runtime, redis: Redis): ScheduledTask {
  const store = createRolloutStore({ redis, clock });
  return {
    name: "rollout-upkeep",
    intervalMs: Math.max(1000, upkeepIntervalMs / config.timeFactor),
    run: async (signal) => failOverdueTickets({ store, clock }, signal),
  };
}
