import type { Failure } from "../../packages/sdk/src/wire/failures.ts";
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
