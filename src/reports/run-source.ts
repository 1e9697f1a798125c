import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import type { Journal } from "../core/journal.ts";

/** A run as it is stored. */
export interface StoredRun {
  readonly summary: RunSummary;
  readonly journal: Journal;
  /** The pinned bytes; absent when they are gone. */
  readonly runbookSource?: string;
}

/** Where runs are read from. */
export interface RunSource {
  get(id: string): Promise<StoredRun | undefined>;
}
