import { expect, it } from "@jest/globals";
import { createMemoryProviderBatchStore } from "../../../../test/fakes/memory-provider-batch-store.ts";
import { createExposition } from "../../../platform/telemetry/exposition.ts";
import { declareUsageMetrics } from "../../usage/metrics.ts";
import { declareProviderBatchMetrics, observeProviderBatches } from "./metrics.ts";
import type { OpenProviderBatch } from "./open-provider-batch.ts";

const aSubmission = (key: string, change: Partial<OpenProviderBatch>): OpenProviderBatch => ({
  key,
  provider: "anthropic",
  batchId: "b",
  items: [{ customId: key, ticketId: key, resubmissions: 0 }],
  state: "ready",
  reason: "",
  notBefore: 0,
  cancel: false,
  revision: 0,
  ...change,
});

it("tells items by state, the longest wait for results, and how costs compare", async () => {
  const store = createMemoryProviderBatchStore();
  const exposition = createExposition();
  const metrics = { ...exposition, ...declareUsageMetrics(exposition.registry), ...declareProviderBatchMetrics(exposition.registry) };
  observeProviderBatches(metrics, store);
  const lines = async () => (await metrics.metrics()).split("\n").filter((line) => /^llm_provider_(batch|reconciliation)/.test(line));
  expect(await lines()).toEqual([]);
  await store.open(aSubmission("a", { state: "submitted", endedAt: 9_000 }));
  await store.open(aSubmission("b", { state: "submitted", endedAt: 7_000 }));
  await store.open(aSubmission("c", { state: "paused" }));
  await store.putDelta({ provider: "anthropic", at: 0, oursMicroUsd: 101, providerMicroUsd: 100, deltaRatio: 0.01 });
  await store.putDelta({ provider: "openai", at: 0, oursMicroUsd: 101, providerMicroUsd: 0 });
  expect(await lines()).toEqual([
    'llm_provider_batch_requests{provider="anthropic",state="ready"} 0',
    'llm_provider_batch_requests{provider="anthropic",state="submitting"} 0',
    'llm_provider_batch_requests{provider="anthropic",state="submitted"} 2',
    'llm_provider_batch_requests{provider="anthropic",state="paused"} 1',
    'llm_provider_batch_oldest_unreconciled_timestamp_seconds{provider="anthropic"} 7',
    'llm_provider_reconciliation_delta_ratio{provider="anthropic"} 0.01',
  ]);
});
