import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { ActionCall, Runbook, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { ActionContext, BoundAction } from "../../core/action.ts";
import type { Clock } from "../../core/clock.ts";
import { resolveParameters } from "../../runbooks/parse/resolve-parameters.ts";
import type { EngineDeps } from "./engine-deps.ts";
import { idempotencyKeyOf } from "./plan-sha.ts";
import { stepView } from "./run-view.ts";
import type { RunWriter } from "./run-writer.ts";
import { scopeOf } from "./scope.ts";

/** What an attempt works with. */
export interface AttemptDeps extends EngineDeps {
  readonly clock: Clock;
  /** Id of a new question. */
  readonly questionId: () => string;
  /** Samples the tracked metrics and notes them. */
  readonly sample: (writer: RunWriter, runbook: Runbook) => Promise<void>;
}

/** A call with its templates resolved and its parameters proven, or why not. */
export type Bound = { readonly ok: true; readonly action: BoundAction } | { readonly ok: false; readonly failure: Failure };

/** Resolves a call's templates against the run as it is and proves its parameters. */
export function bindCall(call: ActionCall, writer: RunWriter, deps: AttemptDeps, result?: Json): Bound {
  const known = deps.actions.find(call.name);
  if (known === undefined) return invalid(`There is no action \`${call.name}\` in this version.`);
  const resolved = resolveParameters(call.parameters, known.parameters, scopeOf(writer.view, result));
  if (!resolved.ok)
    return {
      ok: false,
      failure: { reason: "expression_error", message: `Parameters of \`${call.name}\`: ${resolved.what}.`, applied: "no" },
    };
  const bound = known.bind(resolved.value);
  return bound.ok ? bound : invalid(`Parameters of \`${call.name}\`: ${bound.issues.join("; ")}.`);
}

function invalid(message: string): Bound {
  return { ok: false, failure: { reason: "invalid_parameters", message, applied: "no" } };
}

/** What the action is handed for this attempt. */
export function contextOf(
  writer: RunWriter,
  step: Step,
  attempt: number,
  group: number | "undo",
  timeoutMs: number,
  deps: AttemptDeps,
  cut?: { readonly signal: AbortSignal },
): ActionContext {
  const { view } = writer;
  const known = stepView(view, step.id);
  const question = view.question;
  // A stop cuts steps short, not the report that tells of it.
  const stoppable = view.concluded === undefined && view.undoing === undefined;
  let signal: AbortSignal | undefined;
  return {
    runId: view.runId,
    runbookId: view.request.runbookId,
    stepId: step.id,
    attempt,
    idempotencyKey: idempotencyKeyOf(view.runId, step.id, group),
    // Made when it is first asked for: every timeout lives on until its time is over.
    get signal() {
      const cuts = [...(stoppable ? [writer.stopSignal] : []), ...(cut === undefined ? [] : [cut.signal])];
      signal ??= AbortSignal.any([writer.lostSignal, deps.clock.timeout(timeoutMs), ...cuts]);
      return signal;
    },
    clock: deps.clock,
    alert: view.request.alert,
    target: view.request.target,
    acceptedAt: view.acceptedAt,
    progress: known.progress,
    answer: question?.question.stepId === step.id && question.question.byAction === true ? question.answer?.answer : undefined,
    get results() {
      return Object.fromEntries(
        [...view.steps].flatMap(([id, other]) => (other.applied === undefined ? [] : [[id, other.applied.output]])),
      );
    },
  };
}
