import { expect, it } from "@jest/globals";
import { createRecordedLog } from "../../test/fakes/recorded-log.ts";
import { counter } from "../platform/telemetry/declare-metric.ts";
import { createExposition } from "../platform/telemetry/exposition.ts";
import { declareAlertMetrics } from "./metrics.ts";
import { createAlertEventSink } from "./record-alert-events.ts";

function open(now: () => number = () => 7) {
  const exposition = createExposition();
  const { registry } = exposition;
  const refusals = counter(registry, { name: "refusals_total", help: "Refusals.", labels: ["guardrail"] });
  const log = createRecordedLog();
  const record = createAlertEventSink({ ...declareAlertMetrics(registry), refusals }, log, now);
  const counted = async () =>
    (await exposition.metrics()).split("\n").filter((line) => /^(runbookd_alerts|refusals)_total\{/.test(line) && !line.endsWith(" 0"));
  return { record, lines: log.lines, counted };
}

const enqueued = { fingerprint: "f1", decision: "enqueued", runbook: "cost", runId: "run_1" } as const;
const refused = { fingerprint: "f1", decision: "refused", runbook: "cost", reason: "too soon", guardrail: "cooldown" } as const;

it("counts a decision about an alert of a webhook and what a guardrail refused, and logs it", async () => {
  const { record, lines, counted } = open();
  record({ kind: "alert_decided", decision: refused, source: "webhook" });
  expect(await counted()).toEqual(['refusals_total{guardrail="cooldown"} 1', 'runbookd_alerts_total{decision="refused"} 1']);
  expect(lines).toEqual([{ level: "info", fields: { ...refused, source: "webhook" }, message: "An alert was decided." }]);
});

it("logs what a poll starts, and does not count it among the alerts of webhooks", async () => {
  const { record, lines, counted } = open();
  record({ kind: "alert_decided", decision: enqueued, source: "poll" });
  expect(await counted()).toEqual([]);
  expect(lines).toEqual([{ level: "info", fields: { ...enqueued, source: "poll" }, message: "An alert was decided." }]);
});

it("ignores what a poll only repeats", async () => {
  const { record, lines, counted } = open();
  record({ kind: "alert_decided", decision: refused, source: "poll" });
  expect([await counted(), lines]).toEqual([[], []]);
});

it.each(["webhook", "poll"] as const)("counts and warns of an alert of a %s that cannot be read", async (source) => {
  const { record, lines, counted } = open();
  const decision = { fingerprint: "", decision: "unreadable", reason: "The alert cannot be read: startsAt." } as const;
  record({ kind: "alert_decided", decision, source });
  expect(await counted()).toEqual(['runbookd_alerts_total{decision="unreadable"} 1']);
  expect(lines).toMatchObject([{ level: "warn", fields: { ...decision, source } }]);
});

it("logs an alert that a freeze pauses once, and again after half a day or another decision; every repeat is counted", async () => {
  let now = 0;
  const { record, lines, counted } = open(() => now);
  const paused = { fingerprint: "f1", decision: "paused", runbook: "cost", reason: "Frozen (all) by ann", guardrail: "freeze" } as const;
  // A weekend, repeated every five minutes.
  for (now = 0; now < 60 * 3_600_000; now += 300_000) record({ kind: "alert_decided", decision: paused, source: "webhook" });
  expect(lines).toHaveLength(5);
  expect(await counted()).toContain('runbookd_alerts_total{decision="paused"} 720');
  record({ kind: "alert_decided", decision: { ...paused, reason: "Frozen (all) by bob" }, source: "webhook" });
  record({ kind: "alert_decided", decision: enqueued, source: "webhook" });
  record({ kind: "alert_decided", decision: { ...paused, reason: "Frozen (all) by bob" }, source: "webhook" });
});
