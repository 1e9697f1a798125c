import type { AlertEvent } from "../alerts/alert-event.ts";
import { createAlertEventSink } from "../alerts/record-alert-events.ts";
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
import type { WatchdogRecord } from "../runs/redis-watchdog.ts";
import type { Runtime } from "./runtime.ts";

/** Everything that happens in the product. */
type ProductEvent = RunEvent | AlertEvent | WorkloadEvent;

/** What a server publishes: everything but the runs, which a worker carries out. */
export type ServerEvent = Exclude<ProductEvent, RunEvent>;

type Telemetry = Pick<Runtime, "metrics" | "log" | "clock">;

/** Where a worker's events go: metrics and the log first, then the record of the watchdog and the memory of the circuit breaker. */
export function createWorkerSink(
  { metrics, log, clock }: Telemetry,
  {
    watchdog,
    memory,
    actions,
  }: {
    readonly watchdog: Pick<WatchdogRecord, "passed">;
    readonly memory: Pick<GuardMemory, "recordFailure" | "recordSuccess" | "recordOutcome">;
    readonly actions: Pick<ActionCatalogue, "find">;
  },
): EventSink<RunEvent> {
  return sendToAll([
    createRunEventSink(metrics, log, () => clock.now()),
    recordWatchdog({
      record: watchdog,
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

/** Where a server's events go: decisions about alerts into metrics and the log, the workload into metrics. */
export function createServerSink({ metrics, log, clock }: Telemetry): EventSink<ServerEvent> {
  const alerts = createAlertEventSink(metrics, log, () => clock.now());
  const workload = createWorkloadSink({ metrics, log });
  return (event) => (event.kind === "alert_decided" ? alerts(event) : workload(event));
}

/** Where usage and ended tickets go: into metrics, and what was refused into the log too. */
export function createWorkloadSink({ metrics, log }: Pick<Telemetry, "metrics" | "log">): EventSink<WorkloadEvent> {
  const usage = createUsageEventSink(metrics, log);
  const tickets = createTicketEventSink(metrics);
  return (event) => (event.kind === "ticket_ended" ? tickets(event) : usage(event));
}
