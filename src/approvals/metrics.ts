import { gauge, type MetricRegistry } from "../platform/telemetry/declare-metric.ts";
import type { Observing } from "../platform/telemetry/exposition.ts";
import type { ApprovalService } from "./approval-service.ts";

/** The metrics of questions to people. */
export type ApprovalMetrics = ReturnType<typeof declareApprovalMetrics>;

/** Declares the metrics of questions to people in `registry`. */
export function declareApprovalMetrics(registry: MetricRegistry) {
  return {
    approvalsPending: gauge(registry, { name: "runbookd_approvals_pending", help: "Questions that wait for a person." }),
    inDoubtRuns: gauge(registry, {
      name: "runbookd_in_doubt_runs",
      help: "Runs parked because nobody knows whether an effect happened.",
    }),
  };
}

/** Counts the open questions at every scrape. */
export function observeQuestions(metrics: Observing & ApprovalMetrics, approvalService: Pick<ApprovalService, "list">): void {
  metrics.observe([metrics.approvalsPending, metrics.inDoubtRuns], async () => {
    const open = await approvalService.list();
    metrics.approvalsPending.set(open.length);
    metrics.inDoubtRuns.set(open.filter(({ question }) => question.kind === "in_doubt").length);
  });
}
