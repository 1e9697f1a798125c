/** A key at its system. */
export interface KeyReading {
  readonly id: string;
  readonly state: "active" | "disabled";
}

/**
 * Switches off keys of a model provider or gateway, which are named by the ids of that system and never by their text. Every member rejects with a
 * StepFailure: `invalid_parameters` for what cannot be an id there, `refused_by_target` when the system refuses, and `not_reachable`, `overloaded`,
 * `timeout` or `unknown_outcome` when it cannot be asked. There is no way to switch a key on: rotating is a person's work.
 */
export interface KeySwitch {
  /** undefined: there is no such key. */
  read(id: string): Promise<KeyReading | undefined>;
  /** Resolves once the system says that the key is disabled. Sends it again when it is disabled already; false: there is no such key. */
  disable(id: string): Promise<boolean>;
  /** Whether a trial request with the key is refused; undefined where the system has no way to try a key without its text. */
  isRefused(id: string): Promise<boolean | undefined>;
}
