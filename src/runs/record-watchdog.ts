import type { Clock } from "../core/clock.ts";
import type { EventSink } from "../core/event.ts";
import { watchdogRunbook } from "../core/run.ts";
import type { RunEvent } from "./engine/run-event.ts";
import type { WatchdogRecord } from "./redis-watchdog.ts";

/** Records every watchdog run that succeeds; ignores other events. `lost` is called when that could not be written. */
export function recordWatchdog({
  record,
  clock,
  lost,
}: {
  readonly record: Pick<WatchdogRecord, "passed">;
  readonly clock: Pick<Clock, "now">;
  readonly lost: (error: unknown) => void;
}): EventSink<RunEvent> {
  return (event) => {
    if (event.kind !== "run_ended" || event.runbookId !== watchdogRunbook || event.outcome !== "succeeded") return;
    record.passed(clock.now()).catch(lost);
  };
}
