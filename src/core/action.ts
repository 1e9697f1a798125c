import type { z } from "zod";
import type { Alert } from "../../packages/sdk/src/wire/alerts.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { ActionOutput, Effect, Plan, risks } from "../../packages/sdk/src/wire/plans.ts";
import type { Clock } from "./clock.ts";

/** What an action does to risk or spend. Guardrail limits bind what raises; a stop is never held back. */
export type Risk = (typeof risks)[number];

/** Was the effect applied? `unknown` parks the run in doubt. */
export type Probe =
  | { readonly kind: "applied"; readonly output: ActionOutput }
  | { readonly kind: "not_applied" }
  | { readonly kind: "unknown"; readonly reason: string };

/** An action that continues later: the engine suspends the run, holds no worker, and calls `run` again with the same plan and key. */
export type ActionResult =
  | { readonly kind: "done"; readonly output: ActionOutput }
  /**
   * Not finished: look again at or after `afterMs`. `progress` is shown to people and handed back as `context.progress`. `early`: the action only polls, so
   * it may be called before `afterMs` is over, as it is when the run is woken.
   */
  | { readonly kind: "continue"; readonly afterMs: number; readonly progress: Json; readonly early?: true }
  /** A person must decide; the run asks `question` and hands the answer back as `context.answer`. */
  | { readonly kind: "ask"; readonly question: string; readonly answers: readonly string[]; readonly progress: Json };

/** What the engine hands to an action. */
export interface ActionContext {
  readonly runId: string;
  readonly runbookId: string;
  readonly stepId: string;
  readonly attempt: number;
  /** Equal for every attempt that may have reached the target; changes only after a certain "not applied". */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly alert: Alert | undefined;
  /** The run's target, e.g. `budget/checkout`. */
  readonly target: string | undefined;
  /** Instant at which the run was accepted; the beginning of what a report tells. */
  readonly acceptedAt: number;
  /** From the last `continue` or `ask` of this attempt. */
  readonly progress: Json | undefined;
  /** The person's answer to this attempt's `ask`. */
  readonly answer: string | undefined;
  /** Results of earlier steps by step id. */
  readonly results: { readonly [stepId: string]: Json };
}

/** An action with its parameters inside. Outside its own file an action has no generic. */
export interface BoundAction {
  readonly name: string;
  readonly effect: Effect;
  readonly risk: Risk;
  /** Time limit of one attempt unless the step says otherwise. */
  readonly timeoutMs: number;
  /** A pure read: no effect, safe to repeat. */
  plan(context: ActionContext): Promise<Plan>;
  run(plan: Plan, context: ActionContext): Promise<ActionResult>;
  /** For `Expected … within` of a mutating or a read action, and for classes S and P after a crash. */
  probe?(plan: Plan, context: ActionContext): Promise<Probe>;
  /** Compare-and-set back to `before`; throws StepFailure when the value was changed since the action set it. */
  undo?(plan: Plan, output: ActionOutput, context: ActionContext): Promise<void>;
}

/** One entry of the catalogue: what lint, the schema and the documents know without any port. */
export interface ActionSpec {
  readonly name: string;
  /** One sentence for authors. */
  readonly summary: string;
  readonly parameters: z.ZodObject;
  /** Names and one-line meanings of the result's fields; `Expected` may only read these. */
  readonly result: { readonly [field: string]: string };
  /** Of these parameters; unresolved templates are passed as they stand, and the dearest class that fits is answered. */
  effectOf(parameters: { readonly [key: string]: unknown }): Effect;
  readonly risk: Risk;
  /** The risk with these parameters, when it depends on them; unresolved templates are passed as they stand. */
  riskOf?(parameters: { readonly [key: string]: unknown }): Risk;
  /** Targets that it raises with these parameters, as far as they name them; unresolved templates are passed as they stand. */
  targetsOf?(parameters: { readonly [key: string]: unknown }): readonly string[];
  /** Whether `probe` exists, so that `Expected … within` is possible. Reads always can. */
  readonly probes: boolean;
  /** Whether it undoes itself when the step names no Undo. */
  readonly undoes: boolean;
}

/** The list of all actions without their ports; what the runbook loader proves parameters against. */
export interface ActionCatalogue {
  readonly names: readonly string[];
  find(name: string): ActionSpec | undefined;
}

/** A spec bound to its ports. `bind` proves resolved parameters; its issues name each wrong one. */
export interface Action extends ActionSpec {
  bind(
    parameters: unknown,
  ): { readonly ok: true; readonly action: BoundAction } | { readonly ok: false; readonly issues: readonly string[] };
}
