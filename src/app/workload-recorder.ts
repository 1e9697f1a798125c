import type { WorkloadObserver } from "../llm/budgets/workload-observer.ts";
import { createTicketObserver } from "../llm/tickets/metrics.ts";
import { createUsageObserver } from "../llm/usage/observe-usage.ts";
import type { Metrics } from "./metrics.ts";

/** Turns counted usage and ended tickets into metrics. */
export function createWorkloadRecorder(metrics: Metrics): WorkloadObserver {
  return { ...createUsageObserver(metrics), ...createTicketObserver(metrics) };
}
