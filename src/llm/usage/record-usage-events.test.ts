import { expect, it } from "@jest/globals";
import { aCountedUsage, aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { createRecordedLog } from "../../../test/fakes/recorded-log.ts";
import { createExposition, type Exposition } from "../../platform/telemetry/exposition.ts";
import { declareUsageMetrics } from "./metrics.ts";
import { createUsageEventSink } from "./record-usage-events.ts";

const now = Date.UTC(2026, 0, 5);

const someMetrics = () => {
  const exposition = createExposition();
  return { ...exposition, ...declareUsageMetrics(exposition.registry) };
};
const linesOf = async (exposition: Exposition) => (await exposition.metrics()).split("\n");

it("counts cost, and tokens as partitions that sum to the total", async () => {
  const metrics = someMetrics();
  const usage = { input_tokens: 10, cache_read_input_tokens: 20, cache_creation_input_tokens: 30, output_tokens: 5 };
  createUsageEventSink(
    metrics,
    createRecordedLog(),
  )({ kind: "usage_counted", usage: [aCountedUsage(aUsageEvent({ id: "r1", usage, latencyMs: 1500 }, now))] });
  const lines = await linesOf(metrics);
  const of = 'provider="anthropic",model="claude-sonnet-4-5",prompt="planner"';
  expect(lines).toEqual(
    expect.arrayContaining([
      `llm_input_tokens_total{${of},token_cache="none"} 10`,
      `llm_input_tokens_total{${of},token_cache="read"} 20`,
      `llm_input_tokens_total{${of},token_cache="write"} 30`,
      `llm_output_tokens_total{${of},token_phase="response"} 5`,
      `llm_output_tokens_total{${of},token_phase="reasoning"} 0`,
      `llm_requests_total{${of},outcome="ok"} 1`,
    ]),
  );
  // 10×3 + 20×0.3 + 30×3.75 + 5×15 = 223.5 micro-USD, rounded half up.
  expect(lines).toContain(`llm_cost_usd_total{${of},budget="checkout"} 0.000224`);
  expect(lines.some((line) => line.startsWith('gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="plan"'))).toBe(true);
});

it("counts what has no price as unpriced, and not as a cost of zero", async () => {
  const metrics = someMetrics();
  createUsageEventSink(
    metrics,
    createRecordedLog(),
  )({ kind: "usage_counted", usage: [aCountedUsage(aUsageEvent({ id: "r1", model: "new-model" }, now))] });
  const lines = await linesOf(metrics);
  expect(lines).toContain('llm_unpriced_tokens_total{provider="anthropic",model="new-model"} 1000');
  expect(lines.some((line) => line.startsWith("llm_cost_usd_total{"))).toBe(false);
});

it("counts an anomaly by its reason, and none of its tokens", async () => {
  const metrics = someMetrics();
  createUsageEventSink(
    metrics,
    createRecordedLog(),
  )({
    kind: "usage_counted",
    usage: [aCountedUsage(aUsageEvent({ id: "r1", usage: { input_tokens: -1, output_tokens: 1 } }, now))],
  });
  const lines = await linesOf(metrics);
  expect(lines).toContain('llm_usage_anomaly_total{reason="not_a_count"} 1');
  expect(lines.some((line) => line.startsWith("llm_input_tokens_total{"))).toBe(false);
});

it("counts and logs what was refused, by its reason, with a few of the reports", async () => {
  const metrics = someMetrics();
  const log = createRecordedLog();
  const reports = Array.from({ length: 9 }, (_, index) => ({
    index,
    id: `r${index}`,
    reason: index < 8 ? ("invalid" as const) : ("unknown_budget" as const),
    issues: ["turn: a number"],
  }));
  createUsageEventSink(metrics, log)({ kind: "usage_refused", reports });
  const lines = await linesOf(metrics);
  expect(lines).toContain('llm_usage_refused_total{reason="invalid"} 8');
  expect(lines).toContain('llm_usage_refused_total{reason="unknown_budget"} 1');
  expect(log.lines).toMatchObject([
    {
      level: "warn",
      message: "Reports of usage were refused: they are in no budget and in no cost.",
      fields: { refused: 9, reports: [{ index: 0, id: "r0" }, { index: 1 }, { index: 2 }] },
    },
  ]);
});

it("never makes a label of what is beyond its cap", async () => {
  const metrics = someMetrics();
  const usage = Array.from({ length: 100 }, (_, index) => aCountedUsage(aUsageEvent({ id: `r${index}`, prompt: `p${index}` }, now)));
  createUsageEventSink(metrics, createRecordedLog())({ kind: "usage_counted", usage });
  const prompts = (await linesOf(metrics)).filter((line) => line.startsWith("llm_requests_total{"));
  expect(prompts).toHaveLength(41);
  expect(prompts.some((line) => line.includes('prompt="other"') && line.endsWith(" 60"))).toBe(true);
});
