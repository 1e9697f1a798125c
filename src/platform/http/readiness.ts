/** One named condition of being ready. `detail` says what is wrong, without a secret. */
export interface Condition {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/** Asked by /readyz; never rejects and answers within two seconds. */
export interface Readiness {
  conditions(): Promise<readonly Condition[]>;
}
