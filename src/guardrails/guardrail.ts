import type { Change, Effect } from "../../packages/sdk/src/wire/plans.ts";
import type { Mode } from "../../packages/sdk/src/wire/runs.ts";
import type { Risk } from "../core/action.ts";
import { canonicalTarget } from "../core/canonical-target.ts";
import type { Instant } from "../core/clock.ts";
import { defaultLimits, type Limits } from "../core/limits.ts";
import type { Verdict } from "../core/verdict.ts";
import type { TargetChange } from "./target-change.ts";

/** One step that wants to act. */
export interface GuardrailCandidate {
  readonly runId: string;
  readonly mode: Mode;
  /** Of the run, e.g. `budget/checkout`. */
  readonly target: string | undefined;
  readonly action: { readonly name: string; readonly effect: Effect; readonly risk: Risk };
  readonly plan: { readonly targets: readonly string[]; readonly changes: readonly Change[] };
  /** A person has already permitted exactly this plan. */
  readonly approved: boolean;
  /** Targets that this run has raised already. */
  readonly raised: readonly string[];
  /** Nobody asked for this run: an alert started it. */
  readonly byMachine: boolean;
  /** Of the alert that started it. */
  readonly alertName?: string;
}

/** What is known about the time before; read right before the verdict. */
export interface GuardFacts {
  /** Episodes that the run's alert began within the last hour; 0 for a start by hand. */
  readonly episodesInHour: number;
  /** Episodes that any alert began within the last five minutes. */
  readonly newEpisodes: number;
  /** When this action failed, or its outcome was unknown, since it last worked; oldest first. */
  readonly failures: readonly Instant[];
  /** The same for this action on each target that the plan touches. */
  readonly targetFailures: { readonly [target: string]: readonly Instant[] };
  /** How many runs of this runbook in a row ended without having helped. */
  readonly ineffectiveRuns: number;
  /** What runs have changed on the touched targets lately, oldest first. */
  readonly changes: readonly TargetChange[];
  /** How many targets of a kind (the part before the slash) there are; a kind that cannot be counted is absent. */
  readonly fleet: { readonly [kind: string]: number };
}

/** Nothing has happened before. */
export const noFacts: GuardFacts = {
  episodesInHour: 0,
  newEpisodes: 0,
  failures: [],
  targetFailures: {},
  ineffectiveRuns: 0,
  changes: [],
  fleet: {},
};

/** What the operator decided. */
export interface GuardPolicy {
  readonly limits: Limits;
  /** Never raised: an exact id, or everything below one with `/*` at the end. */
  readonly protectedTargets: readonly string[];
}

/** The policy of an installation that configured nothing. */
export const defaultPolicy: GuardPolicy = { limits: defaultLimits, protectedTargets: [] };

/** What a guardrail judges a candidate by. */
export interface GuardContext {
  readonly now: Instant;
  readonly facts: GuardFacts;
  readonly policy: GuardPolicy;
}

/** One rule: pure, one file each. A verdict is advice; only a claim, taken together with the intent, is a fact. */
export type Guardrail = (candidate: GuardrailCandidate, context: GuardContext) => Verdict;

/** Whether the action changes something that is cared for. A read does not, and neither does telling people (risk `none`). */
export function isMutation(action: GuardrailCandidate["action"]): boolean {
  return action.effect !== "read" && action.risk !== "none";
}

/** Whether the action raises risk or spend: what limits bind. A stop is never held back by them. */
export function isRaise(action: GuardrailCandidate["action"]): boolean {
  return action.effect !== "read" && action.risk === "raises";
}

/** Nothing to say. */
export const allowed: Verdict = { kind: "allow", claims: [] };

/** The run's target and everything that the plan touches, each once and in canonical form. */
export function touchedTargets({ target, plan }: Pick<GuardrailCandidate, "target" | "plan">): readonly string[] {
  return canonicalTargets(target === undefined ? plan.targets : [target, ...plan.targets]);
}

/** Each target once, in canonical form: two spellings of one target are one target. */
export function canonicalTargets(targets: readonly string[]): readonly string[] {
  return [...new Set(targets.map(canonicalTarget))];
}
