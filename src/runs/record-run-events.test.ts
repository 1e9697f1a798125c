import { expect, it } from "@jest/globals";
import { createRecordedLog } from "../../test/fakes/recorded-log.ts";
import { counter } from "../platform/telemetry/declare-metric.ts";
import { createExposition } from "../platform/telemetry/exposition.ts";
import { declareRunMetrics } from "./metrics.ts";
import { createRunEventSink } from "./record-run-events.ts";

function open() {
  const exposition = createExposition();
  const { registry } = exposition;
  const refusals = counter(registry, { name: "refusals_total", help: "Refusals.", labels: ["guardrail"] });
  const log = createRecordedLog();
  const record = createRunEventSink({ ...declareRunMetrics(registry), refusals }, log, () => 90_000);
  const scrape = async () => (await exposition.metrics()).split("\n");
  return { record, lines: log.lines, scrape };
}

it("counts the time without a worker of a claimed run only when there was one, and logs the claim", async () => {
  const { record, lines, scrape } = open();
  record({ kind: "run_claimed", runId: "run_1", runbookId: "cost", stalls: 0 });
  expect(await scrape()).toContain("runbookd_resume_seconds_count 0");
  record({ kind: "run_claimed", runId: "run_1", runbookId: "cost", stalls: 1, idleMs: 2500 });
  expect(await scrape()).toContain("runbookd_resume_seconds_sum 2.5");
  expect(lines).toEqual([
    { level: "debug", fields: { run: "run_1", runbook: "cost", stalls: 0 }, message: "The run was claimed." },
    { level: "debug", fields: { run: "run_1", runbook: "cost", stalls: 1 }, message: "The run was claimed." },
  ]);
});

it("measures an attempt by its action and outcome, and logs it with its step", async () => {
  const { record, lines, scrape } = open();
  record({ kind: "step_ended", runId: "run_1", stepId: "a", action: "pause", outcome: "failed", ms: 1500, targets: ["budget/a"] });
  expect(await scrape()).toContain('runbookd_step_duration_seconds_sum{action="pause",outcome="failed"} 1.5');
  expect(lines).toEqual([
    {
      level: "info",
      fields: { run: "run_1", step: "a", action: "pause", outcome: "failed", ms: 1500 },
      message: "An attempt of a step ended.",
    },
  ]);
});

it("measures the time to the first effect and counts refusals, without a line in the log", async () => {
  const { record, lines, scrape } = open();
  record({ kind: "first_effect", afterAcceptMs: 250 });
  record({ kind: "step_refused", guardrail: "cooldown" });
  expect(await scrape()).toEqual(
    expect.arrayContaining(["runbookd_alert_to_action_seconds_sum 0.25", 'refusals_total{guardrail="cooldown"} 1']),
  );
  expect(lines).toEqual([]);
});

it("counts and logs a write that was refused because another worker holds the run", async () => {
  const { record, lines, scrape } = open();
  record({ kind: "write_fenced", runId: "run_1" });
  expect(await scrape()).toContain("runbookd_fenced_writes_total 1");
  expect(lines).toEqual([{ level: "warn", fields: { run: "run_1" }, message: "Another worker holds the run; nothing was written." }]);
});

it("counts, measures and logs the end of a run, and notes when a runbook last succeeded", async () => {
  const { record, lines, scrape } = open();
  record({ kind: "run_ended", runId: "run_1", runbookId: "cost", outcome: "failed", ms: 2000.6 });
  expect((await scrape()).some((line) => line.startsWith("runbookd_runbook_last_success_timestamp_seconds{"))).toBe(false);
  record({ kind: "run_ended", runId: "run_2", runbookId: "cost", outcome: "succeeded", ms: 1000 });
  expect(await scrape()).toEqual(
    expect.arrayContaining([
      'runbookd_runs_total{runbook="cost",outcome="failed"} 1',
      'runbookd_runs_total{runbook="cost",outcome="succeeded"} 1',
      'runbookd_run_duration_seconds_count{runbook="cost"} 2',
      'runbookd_runbook_last_success_timestamp_seconds{runbook="cost"} 90',
    ]),
  );
  expect(lines).toEqual([
    { level: "info", fields: { run: "run_1", runbook: "cost", outcome: "failed", ms: 2001 }, message: "The run ended." },
    { level: "info", fields: { run: "run_2", runbook: "cost", outcome: "succeeded", ms: 1000 }, message: "The run ended." },
  ]);
});
