import type { ScheduledTask } from "../platform/queue/scheduled-work.ts";
import { createWorkloadSink } from "./product-event.ts";
import type { Runtime } from "./runtime.ts";

const intervalMs = 10_000;

/** Writes turns that ended without a report into rows, events and metrics, for one process of all. Their money was charged when they ended. */
export function scheduleUnreportedTurns(runtime: Runtime): ScheduledTask {
  const publish = createWorkloadSink(runtime);
  return {
    name: "unreported-turns",
    intervalMs: Math.max(1000, intervalMs / runtime.config.timeFactor),
    async run() {
      const usage = await runtime.ledger.recordUnreported();
      if (usage.length > 0) publish({ kind: "usage_counted", usage });
    },
  };
}
