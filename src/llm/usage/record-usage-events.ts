import { type UsageEvent, usageAnomalies } from "../../../packages/sdk/src/wire/usage.ts";
import type { EventSink } from "../../core/event.ts";
import type { Log } from "../../core/log.ts";
import { oneUsd } from "../../core/money.ts";
import { overflowLabel } from "../../platform/telemetry/label-cap.ts";
import type { UsageMetrics } from "./metrics.ts";
import { unpricedTokens, writtenTokens } from "./token-partition.ts";
import { type UsageCounted, type UsageRefused, usageRefusals } from "./usage-ledger.ts";

/** Combinations of labels beyond which further prompts are counted as `other`. */
const maxSeries = 10_000;
/** Combinations without a prompt beyond which provider and model are `other` too. What is left is one series for each budget. */
const maxSeriesWithoutPrompt = 10_000;

interface Labels {
  readonly provider: string;
  readonly model: string;
  readonly prompt: string;
  readonly budget: string;
}

/** Refused reports of one request that a log line names; the metric counts all. */
const namedRefusals = 3;

/** Turns counted usage into counters, and refused usage into one and a log line. Every label goes through its cap; ids of tickets, batches and requests are never labels. */
export function createUsageEventSink(metrics: UsageMetrics, log: Pick<Log, "warn">): EventSink<UsageCounted | UsageRefused> {
  const { label } = metrics;
  const withPrompt = createCombinations(maxSeries);
  const withoutPrompt = createCombinations(maxSeriesWithoutPrompt);
  for (const reason of usageAnomalies) metrics.usageAnomalies.inc({ reason }, 0);
  for (const reason of usageRefusals) metrics.usageRefused.inc({ reason }, 0);

  /** The labels, as long as there is room for their combination. The budget is always its own: alerts are about one budget. */
  const boundedLabels = (labels: Labels): Labels => {
    const { provider, model, prompt, budget } = labels;
    if (withPrompt([provider, model, prompt, budget])) return labels;
    metrics.labelOverflow.inc({ label: "prompt" });
    if (withoutPrompt([provider, model, budget])) return { ...labels, prompt: overflowLabel };
    metrics.labelOverflow.inc({ label: "model" });
    return { provider: overflowLabel, model: overflowLabel, prompt: overflowLabel, budget };
  };

  const refuse = ({ reports }: UsageRefused): void => {
    for (const { reason } of reports) metrics.usageRefused.inc({ reason });
    const named = reports
      .slice(0, namedRefusals)
      .map(({ index, id, reason, issues }) => ({ index, id, reason, issues: issues.slice(0, 3) }));
    log.warn({ refused: reports.length, reports: named }, "Reports of usage were refused: they are in no budget and in no cost.");
  };

  return (published) => {
    if (published.kind === "usage_refused") return refuse(published);
    for (const event of published.usage) {
      const labels = {
        provider: label.provider(event.provider),
        model: label.model(event.model),
        // Usage is counted for budgets that exist only, and how many may exist is limited.
        budget: event.budget,
        prompt: label.prompt(event.prompt),
      };
      countRequest(metrics, event, boundedLabels(labels));
    }
  };
}

/** Whether a combination is among the first `max`. */
function createCombinations(max: number): (values: readonly string[]) => boolean {
  const admitted = new Set<string>();
  return (values) => {
    const combination = values.join("\n");
    if (admitted.has(combination)) return true;
    if (admitted.size >= max) return false;
    admitted.add(combination);
    return true;
  };
}

function countRequest(metrics: UsageMetrics, event: UsageEvent, { provider, model, prompt, budget }: Labels): void {
  metrics.requests.inc({ provider, model, prompt, outcome: event.outcome });
  if (event.anomaly === undefined) countTokens(metrics, event, { provider, model, prompt });
  else metrics.usageAnomalies.inc({ reason: event.anomaly });
  if (event.unpriced !== undefined) metrics.unpricedTokens.inc({ provider, model }, unpricedTokens(event));
  else if (event.anomaly === undefined) metrics.costUsd.inc({ provider, model, prompt, budget }, event.costMicroUsd / oneUsd);
  if (event.cacheMiss !== undefined) {
    const { reason, missedTokens = 0 } = event.cacheMiss;
    metrics.cacheMisses.inc({ provider, prompt, reason });
    metrics.cacheMissedTokens.inc({ provider, prompt, reason }, missedTokens);
  }
  if (event.latencyMs === undefined) return;
  const labels = {
    gen_ai_operation_name: metrics.label.operation(event.operation),
    gen_ai_provider_name: provider,
    gen_ai_request_model: metrics.label.model(event.requestModel ?? event.model),
    error_type: event.outcome === "ok" ? "" : event.outcome,
  };
  metrics.operationDuration.observe(labels, event.latencyMs / 1000);
}

function countTokens({ inputTokens, outputTokens }: UsageMetrics, { tokens }: UsageEvent, labels: Omit<Labels, "budget">): void {
  inputTokens.inc({ ...labels, token_cache: "none" }, tokens.uncached);
  inputTokens.inc({ ...labels, token_cache: "read" }, tokens.read);
  inputTokens.inc({ ...labels, token_cache: "write" }, writtenTokens(tokens));
  outputTokens.inc({ ...labels, token_phase: "response" }, tokens.output - tokens.reasoning);
  outputTokens.inc({ ...labels, token_phase: "reasoning" }, tokens.reasoning);
}
