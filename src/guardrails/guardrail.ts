import type { Effect, Risk } from "../core/action.ts";
import type { Instant } from "../core/clock.ts";
import type { Mode } from "../core/run.ts";
import type { Verdict } from "../core/verdict.ts";

/** One step that wants to act. */
export interface GuardrailCandidate {
  readonly mode: Mode;
  /** Of the run, e.g. `budget/checkout`. */
  readonly target: string | undefined;
  readonly action: { readonly name: string; readonly effect: Effect; readonly risk: Risk };
  readonly plan: { readonly targets: readonly string[] };
  /** A person has already permitted exactly this plan. */
  readonly approved: boolean;
}

/** One rule: pure, one file each. A verdict is advice; only a claim, taken together with the intent, is a fact. */
export type Guardrail = (candidate: GuardrailCandidate, now: Instant) => Verdict;

/** Whether the action changes something that is cared for. A read does not, and neither does telling people (risk `none`). */
export function isMutation(action: GuardrailCandidate["action"]): boolean {
  return action.effect !== "read" && action.risk !== "none";
}
