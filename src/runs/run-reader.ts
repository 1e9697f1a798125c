import type { JournalEntry, RunRecord } from "../../packages/sdk/src/wire/journal.ts";
import type { Outcome, RunState, RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import type { Instant } from "../core/clock.ts";
import type { Page } from "../core/page.ts";

/** Every member that is present must match. */
export interface RunFilter {
  /** `open`: every state but `ended`. */
  readonly state?: RunState | "open";
  readonly outcome?: Outcome;
  readonly runbookId?: string;
  readonly target?: string;
  readonly alertName?: string;
  /** When it was accepted; both ends belong to the window. */
  readonly since?: Instant;
  readonly until?: Instant;
}

/** One journal entry with its place in the journal; 0 is `accepted`. */
export interface IndexedEntry {
  readonly index: number;
  readonly entry: JournalEntry;
}

/** What people read about runs. */
export interface RunReader {
  /** `undefined` means that the cursor is none of ours. */
  list(filter: RunFilter, page: { readonly cursor?: string; readonly limit: number }): Promise<Page<RunSummary> | undefined>;
  get(id: string): Promise<RunRecord | undefined>;
  /**
   * Entries with an index above `afterIndex` (-1 = all) as they are written. Ends after `finished` and every Post-Action entry, or when the
   * signal is aborted, without throwing. Yields nothing for a run that does not exist.
   */
  follow(id: string, afterIndex: number, signal: AbortSignal): AsyncIterable<IndexedEntry>;
}
