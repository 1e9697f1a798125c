import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";

/** Pinned documents, parsed; memory first. `undefined`: gone, or the bytes do not have this hash, or they no longer parse. */
export interface PinnedRunbooks {
  get(sha256: string, runbookId: string): Promise<Runbook | undefined>;
}
