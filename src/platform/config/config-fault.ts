/** One setting that is refused. It never holds the value, which may be a secret. */
export interface ConfigFault {
  readonly key: string;
  /** Where the value came from. */
  readonly source: "environment" | "runbookd.yml" | "together";
  /** Completes a sentence that begins with the key. */
  readonly problem: string;
  readonly accepted: string;
}

/** One line per fault, for a terminal. */
export function describeFaults(faults: readonly ConfigFault[]): string {
  return faults.map(({ key, source, problem, accepted }) => `${key} (${source}) ${problem}. Accepted: ${accepted}.`).join("\n");
}
