import type { Outcome, RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import type { Instant } from "../core/clock.ts";
import { watchdogRunbook } from "../core/run.ts";
import type { RunFilter, RunReader } from "../runs/run-reader.ts";

/** A list of runs in memory, with the ways to fill it. */
export interface MemoryRunList extends Pick<RunReader, "list"> {
  start(summary: RunSummary, at: Instant): void;
  suspend(id: string): void;
  end(id: string, outcome: Outcome): void;
}

/** A fake behind the list of `RunReader`; passes the same contract suite as that in Redis. */
export function createMemoryRunList(): MemoryRunList {
  let runs: readonly { readonly summary: RunSummary; readonly at: Instant }[] = [];
  const change = (id: string, fields: Partial<RunSummary>) => {
    runs = runs.map((run) => (run.summary.id === id ? { ...run, summary: { ...run.summary, ...fields } } : run));
  };
  return {
    start: (summary, at) => {
      runs = [{ summary, at }, ...runs];
    },
    suspend: (id) => change(id, { state: "suspended" }),
    end: (id, outcome) => change(id, { state: "ended", outcome }),
    async list(filter, { cursor, limit }) {
      const after = cursor === undefined ? -1 : runs.findIndex(({ summary }) => summary.id === cursor);
      if (cursor !== undefined && after === -1) return undefined;
      const matching = runs.slice(after + 1).flatMap(({ summary, at }) => (isListed(summary, at, filter) ? [summary] : []));
      const items = matching.slice(0, limit);
      const last = items.at(-1);
      return matching.length > limit && last !== undefined ? { items, nextCursor: last.id } : { items };
    },
  };
}

function isListed(summary: RunSummary, at: Instant, filter: RunFilter): boolean {
  const { state, outcome, runbookId, target, alertName, since = 0, until = Number.POSITIVE_INFINITY } = filter;
  return (
    (state === undefined || (state === "open" ? summary.state !== "ended" : summary.state === state)) &&
    (outcome === undefined || summary.outcome === outcome) &&
    (runbookId === undefined ? summary.runbookId !== watchdogRunbook : summary.runbookId === runbookId) &&
    (target === undefined || summary.target === target) &&
    (alertName === undefined || summary.alertName === alertName) &&
    at >= since &&
    at <= until
  );
}
