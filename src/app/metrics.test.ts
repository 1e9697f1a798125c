import { expect, it } from "@jest/globals";
import { seriesNames } from "../platform/telemetry/exposition.ts";
import { createMetrics } from "./metrics.ts";

const linesOf = async (metrics: ReturnType<typeof createMetrics>) => (await metrics.metrics()).split("\n");

it("shows every label value that is known in advance at zero", async () => {
  const metrics = createMetrics();
  metrics.initializeRunbooks(["cost-incident-response"]);
  metrics.initializeGuardrails(["cooldown"]);
  const lines = await linesOf(metrics);
  expect(lines).toContain('runbookd_alerts_total{decision="unmatched"} 0');
  expect(lines).toContain('runbookd_notifications_total{code="503"} 0');
  expect(lines).toContain('runbookd_runs_total{runbook="cost-incident-response",outcome="inconclusive"} 0');
  expect(lines).toContain('runbookd_refusals_total{guardrail="cooldown"} 0');
  expect(lines).toContain("runbookd_fenced_writes_total 0");
  expect(lines).toContain('llm_label_overflow_total{label="prompt"} 0');
});

it("shows no value that nobody has measured", async () => {
  const metrics = createMetrics();
  const values = (await linesOf(metrics)).filter((line) => !line.startsWith("#"));
  expect(values.filter((line) => /^runbookd_(canary|due_lag|frozen|in_doubt|approvals|mail)/.test(line))).toEqual([]);
});

it("caps labels and counts what it dropped", async () => {
  const metrics = createMetrics();
  for (let index = 0; index < 31; index++) metrics.label.model(`m-${index}`);
  expect(await linesOf(metrics)).toContain('llm_label_overflow_total{label="model"} 1');
});

it("names each metric by Prometheus's conventions", () => {
  const { registry } = createMetrics();
  const names = registry.getMetricsAsArray().map(({ name, type }) => ({ name, type: String(type) }));
  expect(names.filter(({ name }) => !/^(runbookd|llm|gen_ai)_[a-z_]+$/.test(name))).toEqual([]);
  expect(names.filter(({ name, type }) => (type === "counter") !== name.endsWith("_total"))).toEqual([]);
  expect(seriesNames(registry)).toContain("runbookd_webhook_duration_seconds_bucket");
});

it("has no label that an alert could fill: every label of our own metrics comes from a closed or capped set", () => {
  const closed = [
    "code",
    "decision",
    "runbook",
    "outcome",
    "action",
    "guardrail",
    "queue",
    "state",
    "found",
    "alertmanager",
    "version",
    "node",
    "fault",
  ];
  const others = createMetrics()
    .registry.getMetricsAsArray()
    .filter(({ name }) => name.startsWith("runbookd_"))
    .flatMap((metric) => ("labelNames" in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : []))
    .filter((label) => !closed.includes(label));
  expect(others).toEqual([]);
});
