import type { Redis } from "ioredis";
import { createAuditReader } from "../audit/redis-audit-reader.ts";
import { dayMs } from "../core/duration.ts";
import { withRedisMs } from "../platform/closers.ts";
import { startLedgerCheck } from "../runs/check-ledger.ts";
import { observeOpenRuns } from "../runs/metrics.ts";
import { createLedgerCheck, ledgerFaults } from "../runs/redis-ledger-check.ts";
import type { RedisRunLedger } from "../runs/redis-store.ts";
import type { Runtime } from "./runtime.ts";

const checkEveryMs = dayMs;

/** Once a day somebody looks whether the ledger is in order. */
export function checkLedger({ config, clock, log, metrics, closers, ending }: Runtime, redis: Redis, name: string): void {
  metrics.initialiseLedgerFaults(ledgerFaults);
  const everyMs = checkEveryMs / config.timeFactor;
  const checking = startLedgerCheck({
    check: createLedgerCheck(redis, { audit: createAuditReader(redis, () => clock.now()), everyMs, name }),
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

/** How many runs of each runbook are open, and how late the latest is, asked whenever metrics are read. */
export function observeLedger({ metrics, library }: Runtime, ledger: RedisRunLedger): void {
  observeOpenRuns(metrics, { runbooks: () => library.list().map(({ id }) => id), ledger });
}
