/** Pinned runbook bytes, immutable by hash. */
export interface RunbookBytes {
  put(sha256: string, source: string): Promise<void>;
  get(sha256: string): Promise<string | undefined>;
}
