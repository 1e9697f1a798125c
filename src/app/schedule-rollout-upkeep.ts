import type { Redis } from "ioredis";
import type { Outbox } from "../core/outbox.ts";
import { type AbandonedRollout, failOverdueTickets, holdAbandonedRollouts } from "../llm/rollouts/jobs.ts";
import { createRolloutStore } from "../llm/rollouts/redis-store.ts";
import { createRecipients } from "../notifications/create-recipients.ts";
import { putForGroup } from "../notifications/put-for-group.ts";
import type { ScheduledTask } from "../platform/queue/scheduled-work.ts";
import { readRunState } from "../runs/redis-run-reader.ts";
import type { Runtime } from "./runtime.ts";

const upkeepIntervalMs = 10_000;

/** What rollouts need besides the runs that drive them, for one process of all. */
export function scheduleRolloutUpkeep({ config, clock, log }: Runtime, redis: Redis, outbox: Pick<Outbox, "put">): ScheduledTask {
  const store = createRolloutStore({ redis, clock });
  const recipients = createRecipients(config.mail);
  const tell = async ({ key, rollout, runId, subject, text }: AbandonedRollout): Promise<void> => {
    const content = { kind: "message", runId, subject, text } as const;
    const told = await putForGroup(outbox, recipients, { key, to: recipients.defaultGroup, content, putAt: clock.now() });
    log.ofRun(runId).warn({ rollout, told }, "A rollout is held, because the run that drove it is over.");
  };
  return {
    name: "rollout-upkeep",
    intervalMs: Math.max(1000, upkeepIntervalMs / config.timeFactor),
    async run(signal) {
      await failOverdueTickets({ store, clock }, signal);
      await holdAbandonedRollouts({ store, runState: (id) => readRunState(redis, id), tell, clock }, signal);
    },
  };
}
