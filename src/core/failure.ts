/**
 * Why something failed: a closed set. It is the metric label, the log field and (through `describeFailure`) the sentence in the mail.
 */
export const failureReasons = [
  "invalid_parameters", // The resolved parameters do not fit the action's schema.
  "expression_error", // A When or a template could not be evaluated.
  "expectation_false", // The action worked, its Expected did not hold.
  "expectation_inconclusive", // The Expected could not be seen: no data, NaN, stale.
  "not_reachable", // Refused connection, DNS, TLS: certainly not applied.
  "refused_by_target", // The target said no (4xx): certainly not applied.
  "overloaded", // 429 or 503: not applied, try later.
  "unknown_outcome", // Timeout or reset after sending: it may have been applied.
  "timeout", // The attempt's own time limit.
  "refused_by_guardrail",
  "prerequisite_false",
  "runbook_corrupt", // The pinned bytes are gone or their hash differs.
  "poisoned", // Claimed again and again without progress.
  "expired", // The run's running time is over.
  "stopped_by_person",
  "defect", // An exception nobody expected.
] as const;

/** See {@link failureReasons}. */
export type FailureReason = (typeof failureReasons)[number];

/** A failure as a value. `applied` says whether the target may have changed. */
export interface Failure {
  readonly reason: FailureReason;
  /** One sentence for a person; may be mailed, so it holds no secret. */
  readonly message: string;
  readonly applied: "no" | "unknown";
  /** Earliest useful retry, from Retry-After. */
  readonly retryAfterMs?: number;
}

/** What an action throws when it knows why it failed. Anything else that is thrown is a defect with an unknown outcome. */
export class StepFailure extends Error {
  readonly failure: Failure;
  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.name = "StepFailure";
    this.failure = failure;
  }
}

/** The single gate from `unknown` to a Failure. An unexpected exception may have been thrown after the bytes were sent: its outcome is unknown. */
export function ensureFailure(thrown: unknown): Failure {
  if (thrown instanceof StepFailure) return thrown.failure;
  const name = thrown instanceof Error ? thrown.name : "";
  if (name === "TimeoutError" || name === "AbortError") {
    return { reason: "timeout", message: "The attempt was cut off before it answered.", applied: "unknown" };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { reason: "defect", message: `Unexpected: ${message.slice(0, 300)}`, applied: "unknown" };
}
