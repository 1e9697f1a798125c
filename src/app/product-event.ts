import type { Redis } from "ioredis";
import type { ActionCatalogue } from "../core/action.ts";
import { type EventSink, sendToAll } from "../core/event.ts";
import { rememberOutcomes } from "../guardrails/guard-steps.ts";
import type { GuardMemory } from "../guardrails/redis-store.ts";
import type { WorkloadEvent } from "../llm/budgets/workload-event.ts";
import { createTicketEventSink } from "../llm/tickets/record-ticket-events.ts";
import { createUsageEventSink } from "../llm/usage/record-usage-events.ts";
import type { RunEvent } from "../runs/engine/run-event.ts";
import { createRunEventSink } from "../runs/record-run-events.ts";
import { recordWatchdog } from "../runs/record-watchdog.ts";
import { createWatchdogRecord } from "../runs/redis-watchdog.ts";
import type { Metrics } from "./metrics.ts";
import type { Runtime } from "./runtime.ts";

/** Where a worker's events go: metrics and the log first, then the record of the watchdog and the memory of the circuit breaker. */
export function createWorkerSink(
  { metrics, log, clock }: Pick<Runtime, "metrics" | "log" | "clock">,
  { redis, memory, actions }: { readonly redis: Redis; readonly memory: GuardMemory; readonly actions: Pick<ActionCatalogue, "find"> },
): EventSink<RunEvent> {
  return sendToAll([
    createRunEventSink(metrics, log, () => clock.now()),
    recordWatchdog({
      record: createWatchdogRecord(redis),
      clock,
      lost: (error) => log.warn({ error }, "A watchdog run came through and that could not be recorded."),
    }),
    rememberOutcomes(memory, {
      actions,
      clock,
      lost: (error) => log.error({ error }, "How an attempt ended could not be remembered for the circuit breaker."),
    }),
  ]);
}

/** Where counted usage and ended tickets go: into metrics. */
export function createWorkloadSink(metrics: Metrics): EventSink<WorkloadEvent> {
  const usage = createUsageEventSink(metrics);
  const tickets = createTicketEventSink(metrics);
  return (event) => (event.kind === "usage_counted" ? usage(event) : tickets(event));
}
