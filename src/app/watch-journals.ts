import type { Redis } from "ioredis";
import { createAuditReader } from "../audit/redis-audit-reader.ts";
import { dayMs } from "../core/duration.ts";
import { withRedisMs } from "../platform/closers.ts";
import { startJournalCheck } from "../runs/check-journals.ts";
import { createJournalCheck, journalFaults } from "../runs/redis-journal-check.ts";
import type { Runtime } from "./runtime.ts";

const checkEveryMs = dayMs;

/** Once a day somebody looks whether the ledger is in order. */
export function checkJournals({ config, clock, log, metrics, closers, ending }: Runtime, redis: Redis, name: string): void {
  metrics.initialiseLedgerFaults(journalFaults);
  const everyMs = checkEveryMs / config.timeFactor;
  const checking = startJournalCheck({
    check: createJournalCheck(redis, { audit: createAuditReader(redis, () => clock.now()), everyMs, name }),
    clock,
    everyMs,
    drain: ending.signal,
    observer: {
      found(fault) {
        metrics.ledgerFaults.inc({ fault: fault.fault });
        log.error(fault, "The ledger was out of order.");
      },
      failed: (error) => log.warn({ error }, "The ledger could not be looked through; it will be."),
    },
  });
  closers.add("ledger check", async () => checking.close(), withRedisMs);
}
