import type { Log } from "../core/log.ts";
import type { EngineObserver } from "./engine/engine-observer.ts";
import type { RunMetrics } from "./metrics.ts";

/** The metrics of runs, and the counter in which guardrails count what they refuse. */
type EngineMetrics = RunMetrics & { readonly refusals: { inc(labels: { readonly guardrail: string }): void } };

/** What the engine does, as metrics and log lines. `now` in milliseconds, for the time of the last success. */
export function createEngineObserver(metrics: EngineMetrics, log: Log, now: () => number): EngineObserver {
  return {
    claimed({ runId, runbookId, stalls, idleMs }) {
      if (idleMs !== undefined) metrics.resume.observe(idleMs / 1000);
      log.ofRun(runId).debug({ runbook: runbookId, stalls }, "The run was claimed.");
    },
    stepEnded({ runId, stepId, action, outcome, ms }) {
      metrics.stepDuration.observe({ action, outcome }, ms / 1000);
      log.ofRun(runId, stepId).info({ action, outcome, ms: Math.round(ms) }, "An attempt of a step ended.");
    },
    firstEffect(afterAcceptMs) {
      metrics.alertToAction.observe(afterAcceptMs / 1000);
    },
    refused(guardrail) {
      metrics.refusals.inc({ guardrail });
    },
    fenced(runId) {
      metrics.fencedWrites.inc();
      log.ofRun(runId).warn({}, "Another worker holds the run; nothing was written.");
    },
    ended({ runId, runbookId, outcome, ms }) {
      metrics.runs.inc({ runbook: runbookId, outcome });
      metrics.runDuration.observe({ runbook: runbookId }, ms / 1000);
      if (outcome === "succeeded") metrics.lastSuccess.set({ runbook: runbookId }, now() / 1000);
      log.ofRun(runId).info({ runbook: runbookId, outcome, ms: Math.round(ms) }, "The run ended.");
    },
  };
}
