import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { Plan } from "../../../packages/sdk/src/wire/plans.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { ActionResult, BoundAction } from "../../core/action.ts";
import type { Instant } from "../../core/clock.ts";
import type { FreezeQuery } from "../../core/freeze.ts";
import type { Verdict } from "../../core/verdict.ts";
import type { Invocation } from "./action-context.ts";
import type { ActiveRun } from "./active-run.ts";
import { idempotencyKeyOf } from "./plan-sha.ts";
import type { Intent, StepView } from "./run-view.ts";

/**
 * What a stage says about its attempt.
 *
 * `proceed`: the next stage may begin. `deferred`: the attempt ends here, the recorded entries say why, and `nextMove` decides from them.
 * `suspended`: the attempt ends here, and the run was released until a freeze ends.
 */
export type StageOutcome = { readonly kind: "proceed" } | { readonly kind: "deferred" } | { readonly kind: "suspended" };

/** The outcomes themselves; none of them carries anything. */
export const proceed: StageOutcome = { kind: "proceed" };
export const deferred: StageOutcome = { kind: "deferred" };
export const suspended: StageOutcome = { kind: "suspended" };

/** One stage of an attempt. @throws LeaseLost or NotReplicated; every other trouble is recorded. */
export type Stage = (attempt: Attempt) => StageOutcome | Promise<StageOutcome>;

/** What the guardrails said about a plan that they did not refuse. */
export interface Judgement {
  readonly verdict: Exclude<Verdict, { readonly kind: "refuse" }>;
  /** A person has permitted exactly this plan. */
  readonly approved: boolean;
}

/** How the call of the action ended. */
export type AttemptResult = ActionResult | { readonly kind: "failed"; readonly failure: Failure };

/** With what an attempt begins. */
export interface AttemptStart {
  readonly run: ActiveRun;
  readonly step: Step;
  readonly action: BoundAction;
  /** What the journal says about the step. */
  readonly state: Readonly<StepView>;
  readonly number: number;
  readonly resumed: Intent | undefined;
}

/** One try of one step. Its stages share it: each reads what earlier stages have set. */
export class Attempt implements Invocation {
  readonly run: ActiveRun;
  readonly step: Step;
  readonly action: BoundAction;
  readonly number: number;
  /** The recorded intent that this attempt resumes, with the same plan and key. */
  readonly resumed: Intent | undefined;
  /** The action reported progress under the resumed intent and is called again to continue. */
  readonly continues: boolean;
  /** The plan that a person has permitted for this step, with the time at which it was made. */
  readonly approved: StepView["approved"];
  /** Attempts that may have reached the target share a group, and with it the idempotency key. */
  readonly group: number;
  readonly timeoutMs: number;
  /** On the monotonic clock. */
  readonly startedAt: Instant;
  /** What a freeze must cover to stop this attempt; set by the freeze stage. Undefined: no freeze stops it. */
  freezeQuery: FreezeQuery | undefined;
  #idempotencyKey: string | undefined;
  #plan: Plan | undefined;
  #judgement: Judgement | undefined;
  #result: AttemptResult | undefined;

  constructor({ run, step, action, state, number, resumed }: AttemptStart) {
    this.run = run;
    this.step = step;
    this.action = action;
    this.number = number;
    this.resumed = resumed;
    this.continues = resumed !== undefined && state.failure === undefined && state.progress !== undefined;
    this.approved = state.approved;
    this.group = resumed?.group ?? state.group;
    this.timeoutMs = step.timeoutMs ?? action.timeoutMs;
    this.startedAt = run.deps.clock.monotonic();
  }

  /** Made when it is first read: most targets do not honour it. */
  get idempotencyKey(): string {
    this.#idempotencyKey ??= idempotencyKeyOf(this.run.writer.lease.runId, this.step.id, this.group);
    return this.#idempotencyKey;
  }

  /** Set by the plan stage. */
  get plan(): Plan {
    return after("plan", this.#plan);
  }
  set plan(plan: Plan) {
    this.#plan = plan;
  }

  /** Set by the guard stage. */
  get judgement(): Judgement {
    return after("guard", this.#judgement);
  }
  set judgement(judgement: Judgement) {
    this.#judgement = judgement;
  }

  /** Set by the run stage. */
  get result(): AttemptResult {
    return after("run", this.#result);
  }
  set result(result: AttemptResult) {
    this.#result = result;
  }
}

function after<Value>(stage: string, value: Value | undefined): Value {
  if (value === undefined) throw new Error(`This is known only after the ${stage} stage.`);
  return value;
}

/** Records that this attempt failed. */
export function recordFailure({ run, step, number }: Pick<Attempt, "run" | "step" | "number">, failure: Failure): void {
  run.writer.record({ kind: "failed", step: step.id, attempt: number, failure });
}
