import type { WorkloadChange } from "../../packages/sdk/src/wire/changes.ts";
import { type ChangeLog, maxChanges } from "../../src/llm/changes/change-log.ts";

/** A change log in memory. */
export function createMemoryChangeLog(): ChangeLog {
  const kept = new Map<string, WorkloadChange>();
  const sorted = (): readonly WorkloadChange[] => [...kept.values()].toSorted((a, b) => a.at - b.at);
  return {
    async record(change) {
      kept.set(JSON.stringify(change), change);
      if (kept.size <= maxChanges) return;
      const [oldest] = sorted();
      kept.delete(JSON.stringify(oldest));
    },
    between: async (from, to, limit) =>
      limit > 0
        ? sorted()
            .filter(({ at }) => at >= from && at <= to)
            .slice(-limit)
        : [],
  };
}
