import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { decisionKinds } from "../../../packages/sdk/src/wire/alerts.ts";
import { outcomes } from "../../../packages/sdk/src/wire/runs.ts";

/** HTTP statuses that the webhook answers; anything else would be a defect and counts as 500. */
const notificationCodes = ["202", "400", "401", "413", "500", "503"] as const;

/** The metrics about runbookd itself. Gauges without labels are absent until somebody sets them: an unknown value is never shown as 0. */
export function declareOwnMetrics(registry: Registry) {
  const registers = [registry];
  const gauge = (name: string, help: string) => {
    const declared = new Gauge({ name, help, registers });
    declared.remove();
    return declared;
  };

  const notifications = new Counter({
    name: "runbookd_notifications_total",
    help: "Webhook messages by the HTTP status that answered them.",
    labelNames: ["code"],
    registers,
  });
  for (const code of notificationCodes) notifications.inc({ code }, 0);

  const alerts = new Counter({
    name: "runbookd_alerts_total",
    help: "Alerts of accepted webhook messages by the decision taken.",
    labelNames: ["decision"],
    registers,
  });
  for (const decision of decisionKinds) alerts.inc({ decision }, 0);

  const runs = new Counter({
    name: "runbookd_runs_total",
    help: "Runs that ended, by runbook and outcome.",
    labelNames: ["runbook", "outcome"],
    registers,
  });
  const runDuration = new Histogram({
    name: "runbookd_run_duration_seconds",
    help: "From accepted to ended, suspension included.",
    labelNames: ["runbook"],
    // A quick check, a containment, a ramp of several stages, a run that waited for people.
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600],
    registers,
  });
  const runsActive = new Gauge({
    name: "runbookd_runs_active",
    help: "Runs that have not ended.",
    labelNames: ["runbook"],
    registers,
  });
  const lastSuccess = new Gauge({
    name: "runbookd_runbook_last_success_timestamp_seconds",
    help: "When a run of this runbook last succeeded; absent before the first time.",
    labelNames: ["runbook"],
    registers,
  });
  const buildInfo = new Gauge({
    name: "runbookd_build_info",
    help: "Always 1; the labels name the build.",
    labelNames: ["version", "node"],
    registers,
  });
  const refusals = new Counter({
    name: "runbookd_refusals_total",
    help: "Steps and runs that a guardrail refused.",
    labelNames: ["guardrail"],
    registers,
  });

  const pollFound = new Counter({
    name: "runbookd_poll_found_total",
    help: "What webhooks should have told and a look at Alertmanager found: firing alerts that were missed, and ends that open runs had not heard of.",
    labelNames: ["found"],
    registers,
  });
  for (const found of ["missed", "resolved"]) pollFound.inc({ found }, 0);

  const ledgerFaults = new Counter({
    name: "runbookd_ledger_faults_total",
    help: "What the daily look at the ledger found out of order; all but a broken chain was mended.",
    labelNames: ["fault"],
    registers,
  });

  return {
    ledgerFaults,
    notifications,
    alerts,
    pollFound,
    pollLastSuccess: new Gauge({
      name: "runbookd_poll_last_success_timestamp_seconds",
      help: "When this Alertmanager was last asked for its alerts with success; absent before the first time.",
      labelNames: ["alertmanager"],
      registers,
    }),
    webhookDuration: new Histogram({
      name: "runbookd_webhook_duration_seconds",
      help: "From the first byte of a webhook message to its answer.",
      // Under 5 ms is one durable write; 10 s is where Alertmanager gives up.
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    runs,
    runsActive,
    runDuration,
    lastSuccess,
    stepDuration: new Histogram({
      name: "runbookd_step_duration_seconds",
      help: "One attempt of a step, by action and how it ended.",
      labelNames: ["action", "outcome"],
      // A ledger write, one HTTP call, a slow API, an action that waits for its effect.
      buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900],
      registers,
    }),
    alertToAction: new Histogram({
      name: "runbookd_alert_to_action_seconds",
      help: "From the alert's acceptance to the commit of the run's first effect.",
      // Single milliseconds is a free worker; seconds is a storm; above 10 s somebody waits for a lease.
      buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    resume: new Histogram({
      name: "runbookd_resume_seconds",
      help: "From a dead worker's last sign of life to the claim of its run by another.",
      // One lease (10 s by default) and one sweep are the expected sum.
      buckets: [0.1, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120],
      registers,
    }),
    fencedWrites: new Counter({
      name: "runbookd_fenced_writes_total",
      help: "Writes refused because the writer's lease had been taken over.",
      registers,
    }),
    inDoubtRuns: gauge("runbookd_in_doubt_runs", "Runs parked because nobody knows whether an effect happened."),
    brokenRunbooks: gauge(
      "runbookd_broken_runbooks",
      "Runbook files whose newest bytes are not in force; their last good version, if any, stays.",
    ),
    damagedRuns: gauge("runbookd_damaged_runs", "Runs whose record in Redis cannot be read; no worker touches them."),
    refusals,
    approvalsPending: gauge("runbookd_approvals_pending", "Questions that wait for a person."),
    queueJobs: new Gauge({
      name: "runbookd_queue_jobs",
      help: "Jobs of a queue by state.",
      labelNames: ["queue", "state"],
      registers,
    }),
    dueLag: gauge("runbookd_due_lag_seconds", "How long the run that is due longest has been waiting; 0 when none is due."),
    frozen: gauge("runbookd_frozen", "1 while the kill switch is on in any scope."),
    mailOldest: gauge("runbookd_mail_oldest_seconds", "Age of the oldest mail that has not been handed over; 0 when there is none."),
    canaryAge: gauge(
      "runbookd_canary_age_seconds",
      "Since the canary (alert RunbookdWatchdog) last came through the whole pipeline; absent before the first time.",
    ),
    buildInfo,
    /** Creates the series of these runbooks at zero, so that the first run is a visible increase. */
    initialiseRunbooks(ids: readonly string[]) {
      for (const runbook of ids) {
        for (const outcome of outcomes) runs.inc({ runbook, outcome }, 0);
        runDuration.zero({ runbook });
      }
    },
    /** Creates the series of these faults of the ledger at zero. */
    initialiseLedgerFaults(faults: readonly string[]) {
      for (const fault of faults) ledgerFaults.inc({ fault }, 0);
    },
    /** Creates the series of these guardrails at zero. */
    initialiseGuardrails(names: readonly string[]) {
      for (const guardrail of names) refusals.inc({ guardrail }, 0);
    },
  };
}
