import type { Clock } from "../core/clock.ts";
import { canaryRunbook } from "../core/run.ts";
import type { EngineObserver } from "./engine/engine-observer.ts";
import type { CanaryRecord } from "./redis-canary.ts";

/** Records every canary run that succeeds. `lost` is told when that could not be written. */
export function recordCanary(
  observer: EngineObserver,
  about: { readonly record: Pick<CanaryRecord, "passed">; readonly clock: Clock; readonly lost: (error: unknown) => void },
): EngineObserver {
  return {
    ...observer,
    ended(run) {
      observer.ended(run);
      if (run.runbookId !== canaryRunbook || run.outcome !== "succeeded") return;
      about.record.passed(about.clock.now()).catch(about.lost);
    },
  };
}
