import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { buildDashboard, type PanelSpec } from "./panels.ts";

const count = (title: string, description: string, expr: string, legend = "", alarmAt?: number): PanelSpec => ({
  title,
  description,
  unit: "short",
  show: "number",
  queries: [{ expr, legend }],
  ...(alarmAt === undefined ? {} : { alarmAt }),
});

const quantiles = (title: string, description: string, metric: string, by = ""): PanelSpec => ({
  title,
  description,
  unit: "s",
  show: "curve",
  queries: [0.5, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le${by === "" ? "" : `, ${by}`}) (rate(${metric}_bucket[$__rate_interval])))`,
    legend: `${by === "" ? "" : `{{${by}}} `}${quantile === 0.5 ? "median" : "99th percentile"}`,
  })),
});

/** *Automation*: what runbookd receives, does, refuses and waits for. */
export function automationDashboard(): Dashboard {
  return buildDashboard({
    uid: "runbookd-automation",
    title: "Automation",
    description: "Alerts in, runbooks run, what they waited for and what was refused.",
    rows: [
      {
        title: "Now",
        panels: [
          count("Up", "Processes of runbookd that Prometheus can read.", 'sum(up{job="runbookd"})'),
          count("Runs going on", "Accepted and not ended.", "sum(runbookd_runs_active)"),
          count("In doubt", "Runs that wait because nobody knows whether an effect happened.", "max(runbookd_in_doubt_runs)", "", 1),
          count("Questions", "Questions that wait for a person.", "max(runbookd_approvals_pending)", "", 1),
          count("Frozen", "1 while the kill switch is on.", "max(runbookd_frozen)", "", 1),
          {
            ...count("Watchdog", "Since the watchdog last came through the whole pipeline.", "max(runbookd_watchdog_age_seconds)", "", 300),
            unit: "s",
          },
          {
            ...count("Oldest mail", "Age of the oldest report that has not left.", "max(runbookd_mail_oldest_seconds)", "", 900),
            unit: "s",
          },
        ],
      },
      {
        title: "Alerts in",
        panels: [
          {
            title: "Webhook answers",
            description: "Messages per minute by HTTP status. 5xx is repeated by Alertmanager, 4xx is not.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (code) (rate(runbookd_notifications_total[$__rate_interval])) * 60", legend: "{{code}}" }],
          },
          {
            title: "Decisions",
            description: "What was decided about each alert, per minute.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (decision) (rate(runbookd_alerts_total[$__rate_interval])) * 60", legend: "{{decision}}" }],
          },
          quantiles(
            "Time to answer a webhook",
            "Includes the durable write. Alertmanager gives up at 10 s.",
            "runbookd_webhook_duration_seconds",
          ),
        ],
      },
      {
        title: "Runs",
        panels: [
          {
            title: "Outcomes",
            description: "Runs that ended in the last hour. `ineffective`: done and did not help; `inconclusive`: could not be seen.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (runbook, outcome) (increase(runbookd_runs_total[1h])) > 0", legend: "{{runbook}} {{outcome}}" }],
          },
          quantiles("From alert to first effect", "From acceptance to the commit of the first effect.", "runbookd_alert_to_action_seconds"),
          quantiles("Duration of a run", "From accepted to ended, waiting included.", "runbookd_run_duration_seconds", "runbook"),
          quantiles("Duration of a step", "One attempt, by action.", "runbookd_step_duration_seconds", "action"),
          {
            title: "Since the last success",
            description: "How long ago each runbook last succeeded. Automation that never runs is automation that nobody has tested.",
            unit: "s",
            show: "curve",
            queries: [{ expr: "time() - max by (runbook) (runbookd_runbook_last_success_timestamp_seconds)", legend: "{{runbook}}" }],
          },
          {
            title: "Refusals",
            description: "What guardrails refused in the last hour.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (guardrail) (increase(runbookd_refusals_total[1h])) > 0", legend: "{{guardrail}}" }],
          },
        ],
      },
      {
        title: "Engine",
        panels: [
          {
            title: "Waiting for a worker",
            description: "How long the run that is due longest has been waiting.",
            unit: "s",
            show: "curve",
            alarmAt: 30,
            queries: [{ expr: "max(runbookd_due_lag_seconds)", legend: "due lag" }],
          },
          {
            title: "Queues",
            description: "Jobs by queue and state.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "max by (queue, state) (runbookd_queue_jobs)", legend: "{{queue}} {{state}}" }],
          },
          {
            title: "Take-overs",
            description: "Runs resumed by another worker in the last hour, and writes of the former one that were refused.",
            unit: "short",
            show: "curve",
            queries: [
              { expr: "sum(increase(runbookd_resume_seconds_count[1h]))", legend: "resumed" },
              { expr: "sum(increase(runbookd_fenced_writes_total[1h]))", legend: "refused writes" },
            ],
          },
          {
            title: "Version",
            description: "Processes by build.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (version, node) (runbookd_build_info)", legend: "{{version}} on Node {{node}}" }],
          },
        ],
      },
    ],
  });
}
