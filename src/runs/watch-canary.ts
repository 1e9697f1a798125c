import type { Clock } from "../core/clock.ts";
import { canaryRunbook } from "../core/run.ts";
import type { Metrics } from "../platform/telemetry/metrics.ts";
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

/** Shows the canary's age; absent until one has come through, so that no age is ever made up. */
export function observeCanary(
  metrics: Pick<Metrics, "observe" | "canaryAge">,
  record: Pick<CanaryRecord, "lastPassedAt">,
  clock: Clock,
): void {
  metrics.observe([metrics.canaryAge], async () => {
    const at = await record.lastPassedAt();
    if (at !== undefined) metrics.canaryAge.set(Math.max(0, (clock.now() - at) / 1000));
  });
}
