/** Why a try of a ticket came to nothing: a closed set, told as a metric's label and decided on by a recovery. */
export const failureClasses = [
  "provider_rate_limit", // The provider takes no more requests for now.
  "provider_overload", // The provider is overloaded.
  "provider_spend_limit", // The provider's own limit of spending, or its credit, is used up.
  "provider_error", // Any other answer of the provider that is none.
  "context_overflow", // The conversation is longer than the model takes.
  "refusal", // The model declines the work.
  "tool_error", // A tool or the environment failed.
  "test_failure", // The repository's own tests fail.
  "git_conflict", // The work does not fit what it is based on any more.
  "budget_cut", // A limit of its budget stopped it.
  "cancelled", // Somebody did not want it any more.
  "worker_lost", // Whoever worked on it vanished.
  "unknown",
] as const;

/** See {@link failureClasses}. */
export type FailureClass = (typeof failureClasses)[number];

/** The class that a stored word stands for, or undefined when it is none of ours. */
export function asFailureClass(word: string): FailureClass | undefined {
  return failureClasses.find((failureClass) => failureClass === word);
}

/** The class that a ticket's reason begins with (`test_failure` or `test_failure: 2 of 9`), when it begins with one. */
export function classOfReason(reason: string): FailureClass | undefined {
  return asFailureClass(/^[a-z_]{1,40}(?=$|: )/.exec(reason)?.[0] ?? "");
}
