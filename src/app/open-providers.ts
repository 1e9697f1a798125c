import type { Redis } from "ioredis";
import type { EventSink } from "../core/event.ts";
import { runPeriodically } from "../core/run-periodically.ts";
import { createAnthropicBatches } from "../integrations/anthropic/create-anthropic-batches.ts";
import { createAnthropicCosts } from "../integrations/anthropic/create-anthropic-costs.ts";
import { openAnthropic } from "../integrations/anthropic/open-anthropic.ts";
import { createOpenAiBatches } from "../integrations/openai/create-openai-batches.ts";
import { createOpenAiCosts } from "../integrations/openai/create-openai-costs.ts";
import { openOpenAi } from "../integrations/openai/open-openai.ts";
import type { BatchStore } from "../llm/batches/batch.ts";
import { createProviderCostComparison } from "../llm/batches/provider/compare-provider-costs.ts";
import { observeProviderBatches } from "../llm/batches/provider/metrics.ts";
import { defaultTimeouts } from "../llm/batches/provider/next-provider-move.ts";
import { createProviderBatchReconciler, type ProviderBatchReconciler } from "../llm/batches/provider/provider-batch-reconciler.ts";
import { createProviderTickets } from "../llm/batches/provider/provider-tickets.ts";
import { createProviderBatchStore } from "../llm/batches/provider/redis-store.ts";
import { createLocalGate } from "../llm/budgets/local-gate.ts";
import type { WorkloadEvent } from "../llm/budgets/workload-event.ts";
import type { ScheduledTask } from "../platform/queue/scheduled-work.ts";
import type { Runtime } from "./runtime.ts";

const reconcileIntervalMs = 5000;
const comparisonIntervalMs = 600_000;

/** Opens the reconciler of provider batches and its gauges. A provider without a key is left out; what was sent to it waits. */
export async function openProviders(
  runtime: Runtime,
  {
    redis,
    batches,
    publish,
  }: { readonly redis: Redis; readonly batches: Pick<BatchStore, "change">; readonly publish: EventSink<WorkloadEvent> },
): Promise<ProviderBatchReconciler> {
  const { config, clock, ledger, tickets, prices, log, metrics, closers } = runtime;
  const { anthropic, openai } = config.providers;
  await loadSdks(config);
  const store = createProviderBatchStore(redis);
  const divided = (ms: number) => ms / config.timeFactor;
  const reconciler = createProviderBatchReconciler({
    store,
    providers: {
      ...(anthropic.apiKey !== undefined && {
        anthropic: createAnthropicBatches({ baseUrl: anthropic.baseUrl, apiKey: anthropic.apiKey }, clock),
      }),
      ...(openai.apiKey !== undefined && { openai: createOpenAiBatches({ baseUrl: openai.baseUrl, apiKey: openai.apiKey }, clock) }),
    },
    tickets: createProviderTickets({
      tickets,
      ledger,
      publish,
      gate: createLocalGate({ ledger, publish }),
      clock,
      async pause(batchId, reason) {
        await batches.change(batchId, { gate: "paused", reason: `the provider says ${reason}`, by: "runbookd" });
      },
    }),
    prices,
    clock,
    timeouts: {
      sendingMs: divided(defaultTimeouts.sendingMs),
      againMs: divided(defaultTimeouts.againMs),
      resultsMs: divided(defaultTimeouts.resultsMs),
    },
  });
  observeProviderBatches(metrics, store);
  const work = runPeriodically(
    { name: "provider batches", intervalMs: Math.max(250, divided(reconcileIntervalMs)), clock, log, signal: runtime.ending.signal },
    async ({ signal }) => {
      for (const { key } of await reconciler.reconcile(signal)) log.info({ submission: key }, "A provider batch was settled.");
    },
  );
  closers.add("provider batches", async () => work.close());
  return reconciler;
}

/** The comparison of what we counted with what each provider bills, for one process of all; nothing without an admin key. */
export async function scheduleCostComparison({ config, clock, prices }: Runtime, redis: Redis): Promise<readonly ScheduledTask[]> {
  const { anthropic, openai } = config.providers;
  await loadSdks(config);
  const costs = {
    ...(anthropic.adminKey !== undefined && {
      anthropic: createAnthropicCosts({ baseUrl: anthropic.baseUrl, apiKey: anthropic.adminKey }, clock),
    }),
    ...(openai.adminKey !== undefined && {
      openai: createOpenAiCosts({ baseUrl: openai.baseUrl, apiKey: openai.adminKey }, { prices, clock }),
    }),
  };
  if (Object.keys(costs).length === 0) return [];
  const compare = createProviderCostComparison({ store: createProviderBatchStore(redis), costs, clock });
  const intervalMs = Math.max(1000, comparisonIntervalMs / config.timeFactor);
  return [{ name: "provider-costs", intervalMs, run: async (signal) => void (await compare(signal)) }];
}

/** A missing SDK ends the start, and not the first batch. */
async function loadSdks({ providers: { anthropic, openai } }: Runtime["config"]): Promise<void> {
  const anthropicKey = anthropic.apiKey ?? anthropic.adminKey;
  if (anthropicKey !== undefined) await openAnthropic({ baseUrl: anthropic.baseUrl, apiKey: anthropicKey });
  const openaiKey = openai.apiKey ?? openai.adminKey;
  if (openaiKey !== undefined) await openOpenAi({ baseUrl: openai.baseUrl, apiKey: openaiKey });
}
