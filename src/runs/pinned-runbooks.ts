import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";

/** Pinned documents, parsed; memory first. `undefined`: gone, or the bytes do not have this hash, or they no longer parse. */
export interface PinnedRunbooks {
  get(sha256: string, runbookId: string): Promise<Runbook | undefined>;
}

/** The bytes that a run is pinned to; `source` is absent when they are no longer stored. */
export interface PinnedSource {
  readonly runbookId: string;
  readonly source?: string;
}

/** Undefined: there is no such run. */
export type ReadPinnedSource = (runId: string) => Promise<PinnedSource | undefined>;
