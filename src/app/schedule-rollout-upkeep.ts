import type { Redis } from "ioredis";
import { type FreezeQuery, isFrozenBy } from "../core/freeze.ts";
import type { Outbox } from "../core/outbox.ts";
import type { PrometheusReader } from "../core/prometheus.ts";
import { checkGuards } from "../llm/rollouts/check-guards.ts";
import { createUrgentPass, failOverdueTickets, holdAbandonedRollouts, type RolloutNews } from "../llm/rollouts/jobs.ts";
import { createRolloutStore } from "../llm/rollouts/redis-store.ts";
import { createRecipients } from "../notifications/create-recipients.ts";
import { putForGroup } from "../notifications/put-for-group.ts";
import type { ScheduledTask } from "../platform/queue/scheduled-work.ts";
import { createRunNotices } from "../runs/redis-run-notices.ts";
import { isWaitingForPerson, readRunState } from "../runs/redis-run-reader.ts";
import { openShareControls } from "./open-share-controls.ts";
import type { Runtime } from "./runtime.ts";

const upkeepIntervalMs = 10_000;

/** What the upkeep of rollouts shares with the worker. */
export interface RolloutUpkeepDeps {
  readonly redis: Redis;
  readonly outbox: Pick<Outbox, "put">;
  readonly prometheus: PrometheusReader;
}

/** What rollouts need besides the runs that drive them, for one process of all. */
export function scheduleRolloutUpkeep(runtime: Runtime, { redis, outbox, prometheus }: RolloutUpkeepDeps): ScheduledTask {
  const { config, clock, log, freezes, freezeFile } = runtime;
  const store = createRolloutStore({ redis, clock });
  const notices = createRunNotices(redis);
  const recipients = createRecipients(config.mail);
  const notify = async ({ key, rollout, runId, subject, text }: RolloutNews): Promise<void> => {
    // A message names what it is about; where no run is, that is the rollout.
    const content = { kind: "message", subject, text, runId: runId ?? rollout } as const;
    const notified = await putForGroup(outbox, recipients, { key, to: recipients.defaultGroup, content, putAt: clock.now() });
    log.warn({ rollout, run: runId, notified, subject }, "People are notified of a rollout.");
  };
  const isFrozen = async (target: string): Promise<boolean> => {
    const query: FreezeQuery = { scopes: ["all", `target:${target}`], undo: false };
    const file = await freezeFile?.standing();
    return [...(await freezes.list()), ...(file === undefined ? [] : [file])].some((freeze) => isFrozenBy(query, freeze));
  };
  const actOnUrgentNews = createUrgentPass({
    store,
    controls: openShareControls(runtime, redis),
    guard: async (guards, signal) => checkGuards(guards, { prometheus, signal }),
    waitsForPerson: (runId) => isWaitingForPerson(redis, runId),
    wake: async (runId) => void (await notices.wake(runId)),
    isFrozen,
    notify,
    clock,
  });
  return {
    name: "rollout-upkeep",
    intervalMs: Math.max(1000, upkeepIntervalMs / config.timeFactor),
    async run(signal) {
      await failOverdueTickets({ store, clock }, signal);
      await holdAbandonedRollouts({ store, runState: (id) => readRunState(redis, id), notify, clock }, signal);
      await actOnUrgentNews(signal);
    },
  };
}
