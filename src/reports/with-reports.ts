import type { RunReader } from "../runs/run-reader.ts";
import { type ComposerSources, reviewOf } from "./create-composer.ts";
import { renderReportText } from "./render-report-text.ts";

/** The same reader, with the review as text beside every run that has come to its end. A review that cannot be made never hides the run. */
export function withReports(reader: RunReader, sources: Pick<ComposerSources, "budgets" | "catalogue" | "publicUrl">): RunReader {
  return {
    list: (filter, page) => reader.list(filter, page),
    follow: (id, afterIndex, signal) => reader.follow(id, afterIndex, signal),
    async get(id) {
      const run = await reader.get(id);
      if (run === undefined || !run.journal.some((entry) => entry.kind === "concluded" || entry.kind === "finished")) return run;
      const review = await reviewOf(run, sources).catch(() => undefined);
      return review === undefined ? run : { ...run, report: { text: renderReportText(review) } };
    },
  };
}
