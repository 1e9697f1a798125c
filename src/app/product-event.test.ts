import { expect, it } from "@jest/globals";
import { aCountedUsage, aUsageEvent } from "../../test/builders/a-usage-report.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createRecordedLog } from "../../test/fakes/recorded-log.ts";
import { scriptActions } from "../../test/fakes/scripted-actions.ts";
import { watchdogRunbook } from "../core/run.ts";
import { createMetrics } from "./metrics.ts";
import { createServerSink, createWorkerSink } from "./product-event.ts";

function open() {
  return { metrics: createMetrics(), log: createRecordedLog(), clock: createFakeClock(7) };
}

it("passes what a server publishes to the sinks of its slice, and to no other", async () => {
  const telemetry = open();
  const { metrics, log } = telemetry;
  const publish = createServerSink(telemetry);
  const counted = async () =>
    (await metrics.metrics())
      .split("\n")
      .filter((line) => /^(runbookd_alerts|llm_requests|llm_tickets_finished)_total\{/.test(line) && !line.endsWith(" 0"))
      .map((line) => line.split("{")[0]);
  publish({ kind: "alert_decided", decision: { fingerprint: "f1", decision: "unmatched" }, source: "webhook" });
  expect(await counted()).toEqual(["runbookd_alerts_total"]);
  expect(log.lines).toHaveLength(1);
  publish({ kind: "usage_counted", usage: [aCountedUsage(aUsageEvent({ id: "r1" }, 7))] });
  expect(await counted()).toEqual(["runbookd_alerts_total", "llm_requests_total"]);
  const ended = { ticketId: "T", budget: "b", queue: "q", variant: "v", costMicroUsd: 1, durationMs: 1, attempts: 1 };
  publish({ kind: "ticket_ended", ticket: { ...ended, outcome: "succeeded" } });
  expect(await counted()).toEqual(["runbookd_alerts_total", "llm_requests_total", "llm_tickets_finished_total"]);
  expect(log.lines).toHaveLength(1);
});

it("passes the end of a run to the log, the record of the watchdog and the memory of the circuit breaker, in this order", async () => {
  const received: string[] = [];
  const log = createRecordedLog(({ fields, message }) => void received.push(`${String(fields["run"])}: ${message}`));
  const publish = createWorkerSink(
    { ...open(), log },
    {
      watchdog: { passed: async (at) => void received.push(`passed at ${at}`) },
      memory: {
        recordFailure: async () => undefined,
        recordSuccess: async () => undefined,
        recordOutcome: async (runbookId) => void received.push(`${runbookId} helped`),
      },
      actions: scriptActions([]),
    },
  );
  publish({ kind: "run_ended", runId: "run_1", runbookId: watchdogRunbook, outcome: "succeeded", ms: 1 });
  expect(received).toEqual(["run_1: The run ended.", "passed at 7", `${watchdogRunbook} helped`]);
});

it("logs what the watchdog's record or the breaker's memory did not take", async () => {
  const telemetry = open();
  const fail = async () => Promise.reject(new Error("Redis is away."));
  const publish = createWorkerSink(telemetry, {
    watchdog: { passed: fail },
    memory: { recordFailure: fail, recordSuccess: fail, recordOutcome: fail },
    actions: scriptActions([]),
  });
  publish({ kind: "run_ended", runId: "run_1", runbookId: watchdogRunbook, outcome: "succeeded", ms: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(telemetry.log.lines.slice(1).map(({ level, message }) => [level, message])).toEqual([
    ["warn", "A watchdog run came through and that could not be recorded."],
    ["error", "How an attempt ended could not be remembered for the circuit breaker."],
  ]);
});
