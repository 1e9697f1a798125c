import type { Redis } from "ioredis";
import { createAuditReader } from "../audit/redis-audit-reader.ts";
import { dayMs, hourMs } from "../core/duration.ts";
import type { ScheduledTask } from "../platform/queue/scheduled-work.ts";
import { createJournalCheck, journalFaults } from "../runs/redis-journal-check.ts";
import { createOpenRunCounts } from "../runs/redis-open-runs.ts";
import type { Runtime } from "./runtime.ts";

const checkIntervalMs = dayMs;

/** The daily check of all journals, for one process of all. It ticks every hour and does nothing before a day has passed since the last check. */
export function scheduleJournalCheck({ config, clock, log, metrics }: Runtime, redis: Redis, name: string): ScheduledTask {
  metrics.initializeJournalFaults(journalFaults);
  const everyMs = checkIntervalMs / config.timeFactor;
  const openRuns = createOpenRunCounts(redis);
  const check = createJournalCheck(redis, { audit: createAuditReader(redis, () => clock.now()), everyMs, name });
  return {
    name: "journal-check",
    intervalMs: Math.max(1000, hourMs / config.timeFactor),
    async run() {
      // While two versions run side by side, the earlier one does not count.
      if (await openRuns.repairIfWrong()) log.info({}, "The open runs of each runbook were counted anew.");
      for (const { fault, about } of await check()) {
        metrics.journalFaultsTotal.inc({ fault });
        log.error({ fault, about }, "A journal was out of order.");
      }
    },
  };
}
