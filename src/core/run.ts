import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";

/** The runbook that only shows that the pipeline works; its runs come every other minute, so they are kept shortly and listed only when asked for. */
export const watchdogRunbook = "watchdog";

/** Every request that a run sends says so in this header, and runbookd starts and decides nothing because of such a request: a run may not trigger a run. */
export const runHeader = "runbookd-run";

/** What can be said about a run whose record cannot be read. */
export function damagedSummary(id: string): RunSummary {
  return {
    id,
    runbookId: "unknown",
    runbookSha: "",
    mode: "observe",
    state: "damaged",
    source: "webhook",
    acceptedAt: 0,
    note: "Its record in Redis cannot be read.",
  };
}

/** A projection as it was stored. Throws when the text is none. */
export function parseSummary(text: string): RunSummary {
  const value: unknown = JSON.parse(text);
  if (!isSummary(value)) throw new Error(`This is no summary of a run: ${text.slice(0, 80)}`);
  return value;
}

function isSummary(value: unknown): value is RunSummary {
  return typeof value === "object" && value !== null && "id" in value && "runbookId" in value && "acceptedAt" in value;
}
