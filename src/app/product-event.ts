import type { Redis } from "ioredis";
import type { ActionCatalogue } from "../core/action.ts";
import { type EventSink, sendToAll } from "../core/event.ts";
import { rememberOutcomes } from "../guardrails/guard-steps.ts";
import type { GuardMemory } from "../guardrails/redis-store.ts";
import type { RunEvent } from "../runs/engine/run-event.ts";
import { createRunEventSink } from "../runs/record-run-events.ts";
import { recordWatchdog } from "../runs/record-watchdog.ts";
import { createWatchdogRecord } from "../runs/redis-watchdog.ts";
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
