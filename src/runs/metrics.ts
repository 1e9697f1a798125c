import { outcomes } from "../../packages/sdk/src/wire/runs.ts";
import type { Clock } from "../core/clock.ts";
import { counter, gauge, histogram, type MetricRegistry } from "../platform/telemetry/declare-metric.ts";
import type { Observing } from "../platform/telemetry/exposition.ts";
import type { BullWakeQueue } from "./bull-wake-queue.ts";
import type { DamagedRuns } from "./redis-damaged-runs.ts";
import type { RedisRunJournal } from "./redis-store.ts";
import type { WatchdogRecord } from "./redis-watchdog.ts";

/** The metrics of runs and of what keeps them going. */
export type RunMetrics = ReturnType<typeof declareRunMetrics>;

/** Declares the metrics of runs in `registry`. */
export function declareRunMetrics(registry: MetricRegistry) {
  const runs = counter(registry, {
    name: "runbookd_runs_total",
    help: "Runs that ended, by runbook and outcome.",
    labels: ["runbook", "outcome"],
  });
  const runDuration = histogram(registry, {
    name: "runbookd_run_duration_seconds",
    help: "From accepted to ended, suspension included.",
    labels: ["runbook"],
    // A quick check, a containment, a ramp of several stages, a run that waited for people.
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600],
  });
  const journalFaultsTotal = counter(registry, {
    name: "runbookd_ledger_faults_total",
    help: "What the daily look at the ledger found out of order; all but a broken chain was mended.",
    labels: ["fault"],
  });
  return {
    runs,
    runDuration,
    runsActive: gauge(registry, { name: "runbookd_runs_active", help: "Runs that have not ended.", labels: ["runbook"] }),
    lastSuccess: gauge(registry, {
      name: "runbookd_runbook_last_success_timestamp_seconds",
      help: "When a run of this runbook last succeeded; absent before the first time.",
      labels: ["runbook"],
    }),
    stepDuration: histogram(registry, {
      name: "runbookd_step_duration_seconds",
      help: "One attempt of a step, by action and how it ended.",
      labels: ["action", "outcome"],
      // A ledger write, one HTTP call, a slow API, an action that waits for its effect.
      buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900],
    }),
    alertToAction: histogram(registry, {
      name: "runbookd_alert_to_action_seconds",
      help: "From the alert's acceptance to the commit of the run's first effect.",
      // Single milliseconds is a free worker; seconds is a storm; above 10 s somebody waits for a lease.
      buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    }),
    resume: histogram(registry, {
      name: "runbookd_resume_seconds",
      help: "From a dead worker's last sign of life to the claim of its run by another.",
      // One lease (10 s by default) and one sweep are the expected sum.
      buckets: [0.1, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120],
    }),
    fencedWrites: counter(registry, {
      name: "runbookd_fenced_writes_total",
      help: "Writes refused because the writer's lease had been taken over.",
    }),
    damagedRuns: gauge(registry, {
      name: "runbookd_damaged_runs",
      help: "Runs whose record in Redis cannot be read; no worker touches them.",
    }),
    queueJobs: gauge(registry, { name: "runbookd_queue_jobs", help: "Jobs of a queue by state.", labels: ["queue", "state"] }),
    dueLag: gauge(registry, {
      name: "runbookd_due_lag_seconds",
      help: "How long the run that is due longest has been waiting; 0 when none is due.",
    }),
    watchdogAge: gauge(registry, {
      name: "runbookd_watchdog_age_seconds",
      help: "Since the watchdog (alert RunbookdWatchdog) last came through the whole pipeline; absent before the first time.",
    }),
    journalFaultsTotal: journalFaultsTotal,
    /** Creates the series of these runbooks at zero, so that the first run is a visible increase. */
    initializeRunbooks(ids: readonly string[]) {
      for (const runbook of ids) {
        for (const outcome of outcomes) runs.inc({ runbook, outcome }, 0);
        runDuration.zero({ runbook });
      }
    },
    /** Creates the series of these faults of the ledger at zero. */
    initializeJournalFaults(faults: readonly string[]) {
      for (const fault of faults) journalFaultsTotal.inc({ fault }, 0);
    },
  };
}

/** Shows at every scrape how many runs of each runbook are open, and how long the one that is due longest has been waiting. */
export function observeOpenRuns(
  metrics: Observing & RunMetrics,
  {
    runbooks,
    journal,
  }: { readonly runbooks: () => readonly string[]; readonly journal: Pick<RedisRunJournal, "openRuns" | "dueLagSeconds"> },
): void {
  metrics.observe([metrics.runsActive], async () => {
    metrics.runsActive.reset();
    for (const runbook of runbooks()) metrics.runsActive.set({ runbook }, 0);
    for (const [runbook, count] of await journal.openRuns()) metrics.runsActive.set({ runbook }, count);
  });
  metrics.observe([metrics.dueLag], async () => metrics.dueLag.set(await journal.dueLagSeconds()));
}

/** Counts the runs that cannot be read, at every scrape. */
export function observeDamagedRuns(metrics: Observing & RunMetrics, damaged: Pick<DamagedRuns, "count">): void {
  metrics.observe([metrics.damagedRuns], async () => metrics.damagedRuns.set(await damaged.count()));
}

/** Counts the jobs of the queue that wakes workers, at every scrape. */
export function observeWakeQueue(metrics: Observing & RunMetrics, queue: Pick<BullWakeQueue, "counts">): void {
  metrics.observe([metrics.queueJobs], async () => {
    for (const [state, count] of Object.entries(await queue.counts())) metrics.queueJobs.set({ queue: "wake", state }, count);
  });
}

/** Shows the watchdog's age; absent until one has come through, so that no age is ever made up. */
export function observeWatchdog(
  metrics: Observing & RunMetrics,
  record: Pick<WatchdogRecord, "lastPassedAt">,
  clock: Pick<Clock, "now">,
): void {
  metrics.observe([metrics.watchdogAge], async () => {
    const at = await record.lastPassedAt();
    if (at !== undefined) metrics.watchdogAge.set(Math.max(0, (clock.now() - at) / 1000));
  });
}
