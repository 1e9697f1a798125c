import type { ActionContext, BoundAction, Plan } from "../core/action.ts";
import type { Clock } from "../core/clock.ts";
import { describeFreeze, type Freeze, type FreezeQuery, freezeScopesOf, isHeldBack } from "../core/freeze.ts";
import { ensureFailure, type Failure, StepFailure } from "../core/failure.ts";
import type { Json } from "../core/json.ts";
import type { Question } from "../core/question.ts";
import { evaluate, truthOf } from "../runbook/expression.ts";
import { resolveParameters } from "../runbook/resolve-parameters.ts";
import type { ActionCall, Runbook, Step } from "../runbook/runbook.ts";
import { idempotencyKeyOf, planShaOf } from "./plan-sha.ts";
import type { EngineDeps } from "./ports.ts";
import { LeaseLost, NotReplicated, type RunHold } from "./run-hold.ts";
import { type DoneEffect, stepView, type StepView } from "./run-view.ts";
import { scopeOf } from "./scope.ts";

/** What an attempt works with. */
export interface AttemptDeps extends EngineDeps {
  readonly clock: Clock;
  /** Id of a new question. */
  readonly questionId: () => string;
  /** Samples the tracked metrics and notes them. */
  readonly sample: (hold: RunHold, runbook: Runbook) => Promise<void>;
}

type Bound = { readonly ok: true; readonly action: BoundAction } | { readonly ok: false; readonly failure: Failure };

/** Resolves a call's templates against the run as it is and proves its parameters. */
function bind(call: ActionCall, hold: RunHold, deps: AttemptDeps, result?: Json): Bound {
  const known = deps.actions.find(call.name);
  if (known === undefined) return invalid(`There is no action \`${call.name}\` in this version.`);
  const resolved = resolveParameters(call.parameters, known.parameters, scopeOf(hold.view, result));
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

function contextOf(
  hold: RunHold,
  step: Step,
  attempt: number,
  group: number | "undo",
  timeoutMs: number,
  deps: AttemptDeps,
): ActionContext {
  const { view } = hold;
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
      signal ??= AbortSignal.any([hold.lostSignal, AbortSignal.timeout(timeoutMs), ...(stoppable ? [hold.stopSignal] : [])]);
      return signal;
    },
    clock: deps.clock,
    alert: view.request.alert,
    target: view.request.target,
    acceptedAt: view.acceptedAt,
    progress: known.progress,
    answer: question?.question.stepId === step.id && question.question.byAction === true ? question.answer?.answer : undefined,
    results: Object.fromEntries(
      [...view.steps].flatMap(([id, other]) => (other.applied === undefined ? [] : [[id, other.applied.output]])),
    ),
  };
}

/** `noted`: the notes say what happened. `frozen`: nothing happened, and the run was given back until the freeze is lifted. */
export type Attempted = "noted" | "frozen";

/**
 * One try of one step: bind, plan, guard, intent, effect, result. The intent is durable before the first byte of the effect is sent.
 * Whatever goes wrong becomes a note; only a lost lease throws.
 */
export async function attemptStep(runbook: Runbook, step: Step, resume: boolean, hold: RunHold, deps: AttemptDeps): Promise<Attempted> {
  if (step.action === undefined) throw new Error(`Step ${step.id} has no action to attempt.`);
  const known = stepView(hold.view, step.id);
  const resumed = resume ? known.intent : undefined;
  const attempt =
    resumed === undefined ? (known.progress === undefined ? known.attempts + 1 : Math.max(1, known.attempts)) : resumed.attempt;
  const failed = (failure: Failure) => hold.note({ kind: "failed", step: step.id, attempt, failure });

  const bound = bind(step.action, hold, deps);
  if (!bound.ok) {
    failed(bound.failure);
    return "noted";
  }
  const { action } = bound;
  const group = resumed?.group ?? known.group;
  const context = contextOf(hold, step, attempt, group, step.timeoutMs ?? action.timeoutMs, deps);
  const startedAt = deps.clock.monotonic();

  let plan: Plan;
  try {
    plan = resumed?.plan ?? freshPlan(known.approved, action, deps) ?? (await action.plan(context));
  } catch (error) {
    failed({ ...ensureFailure(error), applied: "no" });
    return "noted";
  }
  if (action.effect !== "read") {
    const permitted =
      resumed !== undefined && known.failure === undefined && known.progress !== undefined
        ? await permitFurther(step, action, plan, hold, deps)
        : await permit(runbook, step, action, plan, attempt, group, resumed !== undefined, hold, deps);
    if (permitted !== "go") return permitted;
  }
  await hold.assertHeld();

  try {
    const result = await action.run(plan, context);
    if (hold.lostSignal.aborted) throw new LeaseLost(hold.lease.runId);
    switch (result.kind) {
      case "done": {
        const first = hold.view.effects.length === 0;
        hold.note({ kind: "applied", step: step.id, attempt, output: result.output });
        deps.observer.stepEnded({
          runId: context.runId,
          stepId: step.id,
          action: action.name,
          outcome: "completed",
          ms: deps.clock.monotonic() - startedAt,
        });
        if (action.effect !== "read" && first) deps.observer.firstEffect(deps.clock.now() - hold.view.acceptedAt);
        break;
      }
      case "continue":
        hold.note({ kind: "progressed", step: step.id, attempt, progress: result.progress, until: deps.clock.now() + result.afterMs });
        break;
      case "ask": {
        hold.note({ kind: "progressed", step: step.id, attempt, progress: result.progress, until: deps.clock.now() });
        ask(hold, step, { kind: "ask", text: result.question, answers: result.answers, byAction: true }, deps);
        break;
      }
    }
  } catch (error) {
    if (error instanceof LeaseLost || hold.lostSignal.aborted) throw new LeaseLost(hold.lease.runId);
    const failure = ensureFailure(error);
    // A read changes nothing, whatever became of it.
    failed(action.effect === "read" ? { ...failure, applied: "no" } : failure);
    deps.observer.stepEnded({
      runId: context.runId,
      stepId: step.id,
      action: action.name,
      outcome: failure.applied === "unknown" && action.effect === "once" ? "in_doubt" : "failed",
      ms: deps.clock.monotonic() - startedAt,
    });
  }
  if (action.effect !== "read") await deps.sample(hold, runbook);
  // A result that must not be asked for twice is written at once; a repeatable one travels with the next intent.
  if (action.effect !== "read" && action.effect !== "set") await hold.flush();
  return "noted";
}

/** A plan for which permission was given is carried out for this long; then it is made anew, and needs a new permission unless it is the same. */
const planMaxAgeMs = 600_000;

function freshPlan(approved: StepView["approved"], action: BoundAction, deps: AttemptDeps): Plan | undefined {
  if (approved === undefined) return undefined;
  // What lowers risk is not held back by the age of its permission.
  return action.risk === "raises" && deps.clock.now() - approved.plannedAt > planMaxAgeMs ? undefined : approved.plan;
}

/** An action that goes on has its intent; the claim of this worker must be durable before it acts again, and no freeze may stand. */
async function permitFurther(step: Step, action: BoundAction, plan: Plan, hold: RunHold, deps: AttemptDeps): Promise<"go" | Attempted> {
  const query = freezeQueryOf(action, plan, false, hold);
  const outside = await outsideFreeze(query, deps);
  if (outside !== undefined) return restFrozen(step, outside, hold, deps);
  const reply = await hold.flush({ effect: true, ...(query !== undefined && { freeze: query }) });
  if (reply.kind === "frozen") return restFrozen(step, reply.freeze, hold, deps);
  if (reply.kind === "unreplicated" || (reply.kind === "ok" && reply.unreplicated === true)) throw new NotReplicated(hold.lease.runId);
  // A stop was asked for meanwhile: the next move hears of it.
  return reply.kind === "ok" ? "go" : "noted";
}

/** Until a run that is held back looks again by itself; an end of the freeze wakes it at once. */
const frozenRetryMs = 5000;

/** What a freeze could hold back. Telling people is never held back: a freeze must not make the automation mute. */
function freezeQueryOf(
  action: Pick<BoundAction, "name" | "risk">,
  plan: Pick<Plan, "targets">,
  undo: boolean,
  hold: RunHold,
): FreezeQuery | undefined {
  if (action.risk === "none") return undefined;
  const { runbookId, target } = hold.view.request;
  const targets = target === undefined ? plan.targets : [target, ...plan.targets];
  return { scopes: freezeScopesOf({ runbookId, action: action.name, targets }), undo };
}

async function outsideFreeze(query: FreezeQuery | undefined, deps: AttemptDeps): Promise<Freeze | undefined> {
  const freeze = query === undefined ? undefined : await deps.frozen?.();
  return query !== undefined && freeze !== undefined && isHeldBack(query, freeze) ? freeze : undefined;
}

/** Gives the run back until the freeze is lifted. It is told once: looking again and again leaves no trace. */
async function restFrozen(step: Step, freeze: Freeze, hold: RunHold, deps: AttemptDeps): Promise<"frozen"> {
  const { scope, by, reason } = freeze;
  const told = hold.view.frozen;
  const known = told?.step === step.id && told.scope === scope && told.by === by && told.reason === reason;
  if (!known || !hold.unnoteClaim()) hold.note({ kind: "frozen", step: step.id, scope, by, reason });
  if (!known) deps.observer.refused("freeze");
  await hold.flush({
    state: "suspended",
    summary: { step: step.name, note: describeFreeze(freeze) },
    release: { dueAt: deps.clock.now() + frozenRetryMs },
  });
  return "frozen";
}

/** Guardrails, freeze, approval and intent. Other than `go`: something else was noted instead. */
async function permit(
  runbook: Runbook,
  step: Step,
  action: BoundAction,
  plan: Plan,
  attempt: number,
  group: number,
  again: boolean,
  hold: RunHold,
  deps: AttemptDeps,
): Promise<"go" | Attempted> {
  const { view } = hold;
  const now = deps.clock.now();
  const known = stepView(view, step.id);
  const planSha = planShaOf(action.name, plan);
  const approved = known.approved?.planSha === planSha;
  const verdict = await deps.guard(
    {
      runId: view.runId,
      runbook,
      step,
      action,
      plan,
      mode: view.request.mode,
      target: view.request.target,
      approved,
      raised: raisedTargets(hold, deps),
      ...(view.request.alert !== undefined && { fingerprint: view.request.alert.fingerprint }),
    },
    now,
  );
  if (verdict.kind === "refuse") {
    deps.observer.refused(verdict.guardrail);
    hold.note({
      kind: "refused",
      step: step.id,
      guardrail: verdict.guardrail,
      reason: verdict.reason,
      plan,
      ...(verdict.retryAt !== undefined && { retryAt: verdict.retryAt }),
    });
    if (verdict.retryAt === undefined && view.request.mode !== "observe") {
      hold.note({
        kind: "failed",
        step: step.id,
        attempt,
        failure: { reason: "refused_by_guardrail", message: `${verdict.guardrail}: ${verdict.reason}`, applied: "no" },
      });
    }
    return "noted";
  }
  const wanted = verdict.kind === "ask" ? verdict.reason : approvalWanted(step, hold);
  if (wanted !== undefined && !approved && !again) {
    const outdated = known.approved !== undefined;
    if (outdated) deps.observer.refused("stale-plan");
    else if (verdict.kind === "ask") deps.observer.refused(verdict.guardrail);
    const rule = step.approval;
    ask(
      hold,
      step,
      {
        kind: "approve",
        text: `${outdated ? "stale-plan: what was permitted is too old, and now it would be another change. " : ""}${wanted} ${plan.summary}`,
        answers: ["approve", "reject"],
        planSha,
        plan,
        ...(rule !== undefined && { withinMs: rule.withinMs, role: rule.role, of: rule.of }),
      },
      deps,
    );
    return "noted";
  }
  const query = freezeQueryOf(action, plan, false, hold);
  const outside = await outsideFreeze(query, deps);
  if (outside !== undefined) return restFrozen(step, outside, hold, deps);
  hold.note({
    kind: "intent",
    step: step.id,
    action: action.name,
    effect: action.effect,
    attempt,
    group,
    idempotencyKey: idempotencyKeyOf(view.runId, step.id, group),
    plan,
    planSha,
  });
  const reply = await hold.flush({
    claims: verdict.kind === "allow" && !again ? verdict.claims : [],
    summary: { step: step.name },
    effect: true,
    ...(query !== undefined && { freeze: query }),
  });
  if (reply.kind === "ok" && reply.unreplicated !== true) return "go";
  if (reply.kind === "ok") {
    // Nothing was sent, so a first intent is taken back; that of an earlier attempt still stands for bytes that may have been sent.
    if (!again) hold.note({ kind: "retried", step: step.id, why: "The intent did not reach the replicas in time; nothing was sent." });
    throw new NotReplicated(hold.lease.runId);
  }
  hold.unnote();
  if (reply.kind === "frozen") return restFrozen(step, reply.freeze, hold, deps);
  if (reply.kind === "unreplicated") throw new NotReplicated(hold.lease.runId);
  if (reply.kind !== "claim_refused") return "noted";
  const lock = "lock" in reply.claim;
  const guardrail = lock ? "target-lock" : (reply.claim.bucket.split(":")[0] ?? "limit");
  deps.observer.refused(guardrail);
  hold.note({
    kind: "refused",
    step: step.id,
    guardrail,
    reason: lock ? `the target is held by run ${reply.holder ?? "unknown"}` : "the limit of this window is used up",
    retryAt: reply.retryAt ?? now + 2000,
    plan,
  });
  return "noted";
}

/** What the intents of this run have raised, this step's own earlier ones included. */
function raisedTargets(hold: RunHold, deps: AttemptDeps): readonly string[] {
  const intents = [...hold.view.steps.values()].flatMap(({ intent }) => intent ?? []);
  return intents.flatMap(({ action, plan }) => (deps.actions.find(action)?.risk === "raises" ? plan.targets : []));
}

function approvalWanted(step: Step, hold: RunHold): string | undefined {
  const rule = step.approval;
  if (rule === undefined) return undefined;
  // Only a certain "true" lifts the need: cannot see means ask.
  if (rule.unless !== undefined && truthOf(evaluate(rule.unless.source, scopeOf(hold.view))) === "true") return undefined;
  return `The document asks for the permission of the ${rule.role} role.`;
}

/** What to ask; the rest follows from the run. */
export interface Asked {
  readonly kind: Question["kind"];
  readonly text: string;
  readonly answers: readonly string[];
  readonly byAction?: boolean;
  readonly planSha?: string;
  readonly plan?: Plan;
  readonly withinMs?: number;
  readonly role?: Question["role"];
  readonly of?: number;
}

/** Of an approval for which the document names no time: silence is a no, not a wait for ever. */
const defaultApprovalMs = 3_600_000;

/** Notes a question; the run is suspended by the move that follows. */
export function ask(hold: RunHold, step: Step, asked: Asked, deps: AttemptDeps): void {
  const { withinMs = asked.kind === "approve" ? defaultApprovalMs : undefined, ...rest } = asked;
  const { requester } = hold.view.request;
  const now = deps.clock.now();
  const question: Question = {
    id: deps.questionId(),
    runId: hold.view.runId,
    runbookId: hold.view.request.runbookId,
    stepId: step.id,
    askedAt: now,
    role: asked.role ?? (asked.kind === "approve" ? "approver" : "operator"),
    ...(withinMs !== undefined && { expiresAt: now + withinMs }),
    ...(asked.kind === "approve" && requester !== undefined && { requester }),
    ...rest,
  };
  hold.note({ kind: "asked", question });
}

/** A step whose outcome is unknown again and again is a failing step. */
const maxAttemptsInDoubt = 3;

/** Reads the effect of a step again: after a crash (`doubt`) or because its Expected does not hold yet. */
export async function probeStep(
  runbook: Runbook,
  step: Step,
  purpose: "doubt" | "expected",
  last: boolean,
  hold: RunHold,
  deps: AttemptDeps,
): Promise<void> {
  const known = stepView(hold.view, step.id);
  if (step.action === undefined) throw new Error(`Step ${step.id} has no action to probe.`);
  const bound = bind(step.action, hold, deps);
  const failed = (failure: Failure) => hold.note({ kind: "failed", step: step.id, attempt: known.attempts, failure });
  if (!bound.ok) {
    failed(bound.failure);
    return;
  }
  const { action } = bound;
  const context = contextOf(hold, step, known.attempts, known.group, step.timeoutMs ?? action.timeoutMs, deps);
  const readAgain = async () => {
    const plan = known.intent?.plan ?? (await action.plan(context));
    if (action.probe !== undefined) return action.probe(plan, context);
    const result = await action.run(plan, context);
    return result.kind === "done"
      ? { kind: "applied" as const, output: result.output }
      : { kind: "unknown" as const, reason: "the read is not finished" };
  };
  let seen: Awaited<ReturnType<typeof readAgain>>;
  try {
    // Only a read may be run again to look; anything else needs its probe.
    seen =
      action.probe !== undefined || action.effect === "read" ? await readAgain() : { kind: "unknown", reason: "the action has no probe" };
  } catch (error) {
    if (hold.lostSignal.aborted) throw new LeaseLost(hold.lease.runId);
    seen = { kind: "unknown", reason: ensureFailure(error).message };
  }
  if (purpose === "doubt") {
    if (seen.kind === "applied")
      hold.note({ kind: "applied", step: step.id, attempt: known.attempts, output: seen.output, found: "probe" });
    else if (seen.kind === "not_applied" && known.attempts <= maxAttemptsInDoubt)
      hold.note({ kind: "retried", step: step.id, why: "The target says that it did not happen." });
    else if (seen.kind === "not_applied")
      failed({
        reason: "unknown_outcome",
        message: `${known.attempts} attempts of unknown outcome, and the target says that it did not happen.`,
        applied: "no",
      });
    else {
      ask(
        hold,
        step,
        {
          kind: "in_doubt",
          text: `Nobody knows whether this happened: ${known.intent?.plan.summary ?? step.name}. The target could not be asked: ${seen.reason}`,
          answers: ["happened", "retry", "abort"],
        },
        deps,
      );
    }
    return;
  }
  await deps.sample(hold, runbook);
  judgeExpected(
    step,
    seen.kind === "applied" ? seen.output : undefined,
    seen.kind === "unknown" ? seen.reason : "the effect is not there",
    last,
    hold,
    known.attempts,
  );
}

function judgeExpected(
  step: Step,
  output: { readonly [key: string]: Json } | undefined,
  why: string,
  last: boolean,
  hold: RunHold,
  attempt: number,
): void {
  const source = step.expected?.expression.source ?? "true";
  const subject = { kind: "expected", step: step.id } as const;
  if (output === undefined) {
    hold.note({ kind: "checked", subject, truth: "inconclusive", detail: why });
  } else {
    hold.note({ kind: "applied", step: step.id, attempt, output });
    const seen = evaluate(source, scopeOf(hold.view, output));
    const truth = truthOf(seen);
    // `true` is noted by the next move together with the end of the step.
    if (truth !== "true")
      hold.note({
        kind: "checked",
        subject,
        truth,
        detail:
          seen.kind === "missing" ? `${seen.what} is missing` : `\`${source}\` is ${truth}${last ? " at the end of the time allowed" : ""}`,
      });
  }
}

/** Compensates one effect: by the step's Undo, or by the action's own. */
export async function undoEffect(step: Step, effect: DoneEffect, hold: RunHold, deps: AttemptDeps): Promise<Attempted> {
  const call = step.undo ?? step.action;
  if (call === undefined) throw new Error(`Step ${step.id} has no action to undo.`);
  const bound = bind(call, hold, deps, effect.output);
  const failed = (failure: Failure) => hold.note({ kind: "undo_failed", step: step.id, attempt: 1, failure });
  if (!bound.ok) {
    failed(bound.failure);
    return "noted";
  }
  const { action } = bound;
  if (step.undo === undefined && action.undo === undefined) {
    hold.note({ kind: "undone", step: step.id, note: `\`${action.name}\` leaves nothing that can be undone.` });
    return "noted";
  }
  const context = contextOf(hold, step, 1, "undo", step.timeoutMs ?? action.timeoutMs, deps);
  const query = freezeQueryOf(action, effect.intent.plan, true, hold);
  const outside = await outsideFreeze(query, deps);
  if (outside !== undefined) return restFrozen(step, outside, hold, deps);
  hold.note({ kind: "undo_intent", step: step.id, attempt: 1, idempotencyKey: context.idempotencyKey });
  const reply = await hold.flush(query === undefined ? {} : { freeze: query });
  if (reply.kind === "frozen") {
    hold.unnote();
    return restFrozen(step, reply.freeze, hold, deps);
  }
  await hold.assertHeld();
  try {
    if (step.undo === undefined) await action.undo?.(effect.intent.plan, effect.output, context);
    else await action.run(await action.plan(context), context);
    hold.note({ kind: "undone", step: step.id });
  } catch (error) {
    if (hold.lostSignal.aborted) throw new LeaseLost(hold.lease.runId);
    failed(ensureFailure(error));
  }
  await hold.flush();
  return "noted";
}

/** Runs a read action outside of the steps, for a check; throws what the action throws. */
export async function readOnce(step: Step, hold: RunHold, deps: AttemptDeps): Promise<{ readonly [key: string]: Json }> {
  if (step.action === undefined) return {};
  const bound = bind(step.action, hold, deps);
  if (!bound.ok) throw new StepFailure(bound.failure);
  const context = contextOf(hold, step, 1, 1, bound.action.timeoutMs, deps);
  const result = await bound.action.run(await bound.action.plan(context), context);
  if (result.kind !== "done") throw new StepFailure({ reason: "timeout", message: "The check did not finish.", applied: "no" });
  return result.output;
}
