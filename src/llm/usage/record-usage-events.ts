import { type TokenPartition, type UsageEvent, usageAnomalies } from "../../../packages/sdk/src/wire/usage.ts";
import type { EventSink } from "../../core/event.ts";
import type { Log } from "../../core/log.ts";
import { oneUsd } from "../../core/money.ts";
import { overflowLabel } from "../../platform/telemetry/label-cap.ts";
import type { UsageMetrics } from "./metrics.ts";
import { unpricedTokens, writtenTokens } from "./token-partition.ts";
import { type CountedUsage, type UsageCounted, type UsageRefused, usageRefusals } from "./usage-ledger.ts";

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

/** Turns counted usage into counters, and refused usage and conflicts into counters and a log line. Every label goes through its cap; ids of tickets, batches and requests are never labels. */
export function createUsageEventSink(metrics: UsageMetrics, log: Pick<Log, "warn">): EventSink<UsageCounted | UsageRefused> {
  const { label } = metrics;
  const withPrompt = createCombinations(maxSeries);
  const withoutPrompt = createCombinations(maxSeriesWithoutPrompt);
  for (const reason of usageAnomalies) metrics.usageAnomalies.inc({ reason }, 0);
  for (const reason of usageRefusals) metrics.usageRefused.inc({ reason }, 0);
  for (const result of ["completed", "duplicate"]) metrics.usageDuplicates.inc({ result }, 0);

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

  const warnOfConflicts = (usage: readonly CountedUsage[]): void => {
    const conflicts = usage.filter(({ kind }) => kind === "conflict");
    if (conflicts.length === 0) return;
    const named = conflicts
      .slice(0, namedRefusals)
      .map(({ event: { provider, budget, id }, conflict, detail }) => ({ provider, budget, id, conflict, detail }));
    log.warn(
      { conflicts: conflicts.length, reports: named },
      "Reports of usage contradict earlier ones of their ids; the higher cost stands.",
    );
  };

  return (published) => {
    if (published.kind === "usage_refused") return refuse(published);
    warnOfConflicts(published.usage);
    for (const counted of published.usage) {
      const { event } = counted;
      const labels = {
        provider: label.provider(event.provider),
        model: label.model(event.model),
        // Usage is counted for budgets that exist only, and how many may exist is limited.
        budget: event.budget,
        prompt: label.prompt(event.prompt),
      };
      const bounded = boundedLabels(labels);
      const { provider, budget } = bounded;
      if (counted.kind === "completed" || counted.kind === "duplicate") metrics.usageDuplicates.inc({ result: counted.kind });
      if (counted.conflict !== undefined) metrics.usageConflicts.inc({ provider, budget, reason: counted.conflict });
      if (counted.kind !== "duplicate") countCost(metrics, counted, bounded);
      if (counted.kind === "accepted") countRequest(metrics, event, bounded);
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

/** Counters only grow: where an estimate was replaced by a lower cost, the gauges of the budget say so. */
function countCost(metrics: UsageMetrics, counted: CountedUsage, { provider, model, prompt, budget }: Labels): void {
  const { event, changeMicroUsd, estimatedChangeMicroUsd, added } = counted;
  if (event.anomaly === undefined) countTokens(metrics, added, { provider, model, prompt });
  if (changeMicroUsd > 0) metrics.costUsd.inc({ provider, model, prompt, budget }, changeMicroUsd / oneUsd);
  if (event.estimated === undefined || estimatedChangeMicroUsd <= 0) return;
  metrics.estimatedCostUsd.inc({ provider, budget, source: event.estimated }, estimatedChangeMicroUsd / oneUsd);
}

function countRequest(metrics: UsageMetrics, event: UsageEvent, { provider, model, prompt }: Labels): void {
  metrics.requests.inc({ provider, model, prompt, outcome: event.outcome });
  if (event.anomaly !== undefined) {
    metrics.usageAnomalies.inc({ reason: event.anomaly });
    metrics.usageUnreadable.inc({ provider, shape: event.shape ?? "unknown", reason: event.anomaly });
  }
  if (event.unpriced !== undefined) metrics.unpricedTokens.inc({ provider, model }, unpricedTokens(event));
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

function countTokens({ inputTokens, outputTokens }: UsageMetrics, tokens: TokenPartition, labels: Omit<Labels, "budget">): void {
  inputTokens.inc({ ...labels, token_cache: "none" }, tokens.uncached);
  inputTokens.inc({ ...labels, token_cache: "read" }, tokens.read);
  inputTokens.inc({ ...labels, token_cache: "write" }, writtenTokens(tokens));
  outputTokens.inc({ ...labels, token_phase: "response" }, tokens.output - tokens.reasoning);
  outputTokens.inc({ ...labels, token_phase: "reasoning" }, tokens.reasoning);
}
