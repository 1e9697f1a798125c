import type { FailureReason } from "../../../packages/sdk/src/wire/failures.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { Instant } from "../../core/clock.ts";
import { type Intervals, type Move, record } from "./move.ts";
import type { RunView, StepView } from "./run-view.ts";

/** What a decision about one step depends on. */
export interface StepFacts {
  readonly view: RunView;
  readonly step: Step;
  readonly state: Readonly<StepView>;
  readonly now: Instant;
  readonly intervals: Intervals;
}

/** The step fails by a decision, without an attempt of its action. */
export function failStep({ step, state }: StepFacts, reason: FailureReason, message: string): Move {
  return record({ kind: "failed", step: step.id, attempt: state.attempts + 1, failure: { reason, message, applied: "no" } });
}
