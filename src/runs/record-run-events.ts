import type { EventSink } from "../core/event.ts";
import type { Log } from "../core/log.ts";
import type { RunEvent } from "./engine/run-event.ts";
import type { RunMetrics } from "./metrics.ts";

/** The metrics of runs, and the counter in which guardrails count what they refuse. */
type EngineMetrics = RunMetrics & { readonly refusals: { inc(labels: { readonly guardrail: string }): void } };

/** Turns what the engine does into metrics and log lines. `now` in milliseconds, for the time of the last success. */
export function createRunEventSink(metrics: EngineMetrics, log: Log, now: () => number): EventSink<RunEvent> {
  return (event) => {
    switch (event.kind) {
      case "run_claimed": {
        const { runId, runbookId, stalls, idleMs } = event;
        if (idleMs !== undefined) metrics.resume.observe(idleMs / 1000);
        log.ofRun(runId).debug({ runbook: runbookId, stalls }, "The run was claimed.");
        break;
      }
      case "step_ended": {
        const { runId, stepId, action, outcome, ms } = event;
        metrics.stepDuration.observe({ action, outcome }, ms / 1000);
        log.ofRun(runId, stepId).info({ action, outcome, ms: Math.round(ms) }, "An attempt of a step ended.");
        break;
      }
      case "first_effect":
        metrics.alertToAction.observe(event.afterAcceptMs / 1000);
        break;
      case "step_refused":
        metrics.refusals.inc({ guardrail: event.guardrail });
        break;
      case "write_fenced":
        metrics.fencedWrites.inc();
        log.ofRun(event.runId).warn({}, "Another worker holds the run; nothing was written.");
        break;
      case "run_ended": {
        const { runId, runbookId, outcome, ms } = event;
        metrics.runs.inc({ runbook: runbookId, outcome });
        metrics.runDuration.observe({ runbook: runbookId }, ms / 1000);
        if (outcome === "succeeded") metrics.lastSuccess.set({ runbook: runbookId }, now() / 1000);
        log.ofRun(runId).info({ runbook: runbookId, outcome, ms: Math.round(ms) }, "The run ended.");
        break;
      }
    }
  };
}
