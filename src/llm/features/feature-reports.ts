import type { FeatureReport } from "../../../packages/sdk/src/wire/flags.ts";

/** Processes whose last report is remembered; the ones that reported longest ago make room. */
const maxReporters = 20_000;

/** What becomes of a report; `duplicate`: it was counted before, and its answer was lost. */
export type FeatureReportResult = "counted" | "duplicate";

/** Tells reports that were counted before from new ones. */
export interface FeatureReports {
  take(report: FeatureReport): FeatureReportResult;
}

/**
 * Remembers the last sequence number of each process, in memory as the counters are. One report is counted twice only when its answer is lost and the next
 * try reaches another server, or this one after a restart.
 */
export function createFeatureReports(): FeatureReports {
  const last = new Map<string, number>();
  return {
    take({ reporter, sequence }) {
      const before = last.get(reporter) ?? 0;
      last.delete(reporter);
      last.set(reporter, Math.max(before, sequence));
      const oldest = last.keys().next();
      if (last.size > maxReporters && oldest.done !== true) last.delete(oldest.value);
      return sequence > before ? "counted" : "duplicate";
    },
  };
}
