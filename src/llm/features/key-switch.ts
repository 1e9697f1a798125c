/** A key at its system. */
export interface KeyReading {
  readonly id: string;
  readonly state: "active" | "disabled";
}

/**
 * Switches off keys of a model provider or gateway. Every member rejects with StepFailure `target_unavailable` when the system cannot be asked, and
 * `refused_by_target` when it refuses. There is no way to switch a key on: rotating is a person's work.
 */
export interface KeySwitch {
  /** undefined: there is no such key. */
  read(id: string): Promise<KeyReading | undefined>;
  /** Again when the key is disabled already; false: there is no such key. */
  disable(id: string): Promise<boolean>;
  /** Whether a trial request with the key is refused; undefined where the system has no way to try a key without its text. */
  isRefused(id: string): Promise<boolean | undefined>;
}
