import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { buildDashboard, type PanelSpec } from "./panels.ts";

/** One number, a count unless it has another unit. */
interface NumberPanel extends Pick<PanelSpec, "title" | "description" | "alarmAt">, Partial<Pick<PanelSpec, "unit">> {
  readonly expr: string;
}

const numberPanel = ({ expr, ...panel }: NumberPanel): PanelSpec => ({
  unit: "short",
  ...panel,
  show: "number",
  queries: [{ expr, legend: "" }],
});

/** The median and the 99th percentile of a histogram of seconds, one pair of curves for each value of the label `by`. */
interface QuantilesPanel extends Pick<PanelSpec, "title" | "description"> {
  readonly metric: string;
  readonly by?: string;
}

const quantilesPanel = ({ title, description, metric, by = "" }: QuantilesPanel): PanelSpec => ({
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
          numberPanel({ title: "Up", description: "Processes of runbookd that Prometheus can read.", expr: 'sum(up{job="runbookd"})' }),
          numberPanel({ title: "Runs going on", description: "Accepted and not ended.", expr: "sum(runbookd_runs_active)" }),
          numberPanel({
            title: "In doubt",
            description: "Runs that wait because nobody knows whether an effect happened.",
            expr: "max(runbookd_in_doubt_runs)",
            alarmAt: 1,
          }),
          numberPanel({
            title: "Questions",
            description: "Questions that wait for a person.",
            expr: "max(runbookd_approvals_pending)",
            alarmAt: 1,
          }),
          numberPanel({ title: "Frozen", description: "1 while the kill switch is on.", expr: "max(runbookd_frozen)", alarmAt: 1 }),
          numberPanel({
            title: "Watchdog",
            description: "Since the watchdog last came through the whole pipeline.",
            unit: "s",
            expr: "max(runbookd_watchdog_age_seconds)",
            alarmAt: 300,
          }),
          numberPanel({
            title: "Oldest mail",
            description: "Age of the oldest report that has not left.",
            unit: "s",
            expr: "max(runbookd_mail_oldest_seconds)",
            alarmAt: 900,
          }),
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
          quantilesPanel({
            title: "Time to answer a webhook",
            description: "Includes the durable write. Alertmanager gives up at 10 s.",
            metric: "runbookd_webhook_duration_seconds",
          }),
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
          quantilesPanel({
            title: "From alert to first effect",
            description: "From acceptance to the commit of the first effect.",
            metric: "runbookd_alert_to_action_seconds",
          }),
          quantilesPanel({
            title: "Duration of a run",
            description: "From accepted to ended, waiting included.",
            metric: "runbookd_run_duration_seconds",
            by: "runbook",
          }),
          quantilesPanel({
            title: "Duration of a step",
            description: "One attempt, by action.",
            metric: "runbookd_step_duration_seconds",
            by: "action",
          }),
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
