import { declareAlertMetrics } from "../alerts/metrics.ts";
import { declareApprovalMetrics } from "../approvals/metrics.ts";
import { declareFreezeMetrics } from "../freeze/metrics.ts";
import { declareGuardrailMetrics } from "../guardrails/metrics.ts";
import { declareAttackMetrics } from "../llm/attacks/metrics.ts";
import { declareBatchMetrics } from "../llm/batches/metrics.ts";
import { declareProviderBatchMetrics } from "../llm/batches/provider/metrics.ts";
import { declareBudgetMetrics } from "../llm/budgets/metrics.ts";
import { declareCachingMetrics } from "../llm/caching/metrics.ts";
import { declareFeatureMetrics } from "../llm/features/metrics.ts";
import { declareFindingMetrics } from "../llm/findings/metrics.ts";
import { declareFlagMetrics } from "../llm/flags/metrics.ts";
import { declareModelMetrics } from "../llm/models/metrics.ts";
import { declareRolloutMetrics } from "../llm/rollouts/metrics.ts";
import { declareRoutingMetrics } from "../llm/routing/metrics.ts";
import { declareTicketMetrics } from "../llm/tickets/metrics.ts";
import { declareUsageMetrics } from "../llm/usage/metrics.ts";
import { declareNotificationMetrics } from "../notifications/metrics.ts";
import { declareStoreMetrics } from "../platform/redis/store-metrics.ts";
import { createExposition, type ExpositionOptions } from "../platform/telemetry/exposition.ts";
import { declareRunbookMetrics } from "../runbooks/metrics.ts";
import { declareRunMetrics } from "../runs/metrics.ts";

/** Every metric, each declared once by its slice, and how a scrape is answered. */
export type Metrics = ReturnType<typeof createMetrics>;

/** Declares every metric in a registry of its own. Label values that are known in advance exist at zero. */
export function createMetrics(options: ExpositionOptions = {}) {
  const exposition = createExposition(options);
  const { registry } = exposition;
  return {
    ...exposition,
    ...declareStoreMetrics(registry),
    ...declareRunbookMetrics(registry),
    ...declareAlertMetrics(registry),
    ...declareRunMetrics(registry),
    ...declareFreezeMetrics(registry),
    ...declareGuardrailMetrics(registry),
    ...declareNotificationMetrics(registry),
    ...declareApprovalMetrics(registry),
    ...declareUsageMetrics(registry),
    ...declareModelMetrics(registry),
    ...declareBudgetMetrics(registry),
    ...declareTicketMetrics(registry),
    ...declareBatchMetrics(registry),
    ...declareProviderBatchMetrics(registry),
    ...declareRolloutMetrics(registry),
    ...declareCachingMetrics(registry),
    ...declareRoutingMetrics(registry),
    ...declareFlagMetrics(registry),
    ...declareFindingMetrics(registry),
    ...declareAttackMetrics(registry),
    ...declareFeatureMetrics(registry),
  };
}
