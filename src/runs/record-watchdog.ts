import type { Clock } from "../core/clock.ts";
import { watchdogRunbook } from "../core/run.ts";
import type { EngineObserver } from "./engine/engine-observer.ts";
import type { WatchdogRecord } from "./redis-watchdog.ts";

/** Records every watchdog run that succeeds. `lost` is told when that could not be written. */
export function recordWatchdog(
  observer: EngineObserver,
  about: { readonly record: Pick<WatchdogRecord, "passed">; readonly clock: Clock; readonly lost: (error: unknown) => void },
): EngineObserver {
  return {
    ...observer,
    ended(run) {
      observer.ended(run);
      if (run.runbookId !== watchdogRunbook || run.outcome !== "succeeded") return;
      about.record.passed(about.clock.now()).catch(about.lost);
    },
  };
}
