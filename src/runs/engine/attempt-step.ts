import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { Plan } from "../../../packages/sdk/src/wire/plans.ts";
import type { Runbook, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { BoundAction } from "../../core/action.ts";
import { ensureFailure } from "../../core/failure.ts";
import { evaluate, truthOf } from "../../runbooks/expressions/expression.ts";
import { askPeople } from "./ask-people.ts";
import { type AttemptDeps, bindCall, contextOf } from "./bind-call.ts";
import { type Attempted, freezeQueryOf, outsideFreeze, restFrozen } from "./freeze-rest.ts";
import { watchFreeze } from "./freeze-watch.ts";
import { idempotencyKeyOf, planShaOf } from "./plan-sha.ts";
import { type StepView, stepView } from "./run-view.ts";
import { LeaseLost, NotReplicated, type RunWriter } from "./run-writer.ts";
import { scopeOf } from "./scope.ts";

/**
 * One try of one step: bind, plan, guard, intent, effect, result. The intent is durable before the first byte of the effect is sent.
 * Whatever goes wrong becomes a note; only a lost lease throws.
 */
export async function attemptStep(runbook: Runbook, step: Step, resume: boolean, writer: RunWriter, deps: AttemptDeps): Promise<Attempted> {
  if (step.action === undefined) throw new Error(`Step ${step.id} has no action to attempt.`);
  writer.receiveNotices();
  const known = stepView(writer.view, step.id);
  const resumed = resume ? known.intent : undefined;
  const attempt =
    resumed === undefined ? (known.progress === undefined ? known.attempts + 1 : Math.max(1, known.attempts)) : resumed.attempt;
  const failed = (failure: Failure) => writer.record({ kind: "failed", step: step.id, attempt, failure });

  const bound = bindCall(step.action, writer, deps);
  if (!bound.ok) {
    failed(bound.failure);
    return "noted";
  }
  const { action } = bound;
  const group = resumed?.group ?? known.group;
  const timeoutMs = step.timeoutMs ?? action.timeoutMs;
  let context = contextOf(writer, step, attempt, group, timeoutMs, deps);
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
        ? await permitFurther(step, action, plan, writer, deps)
        : await permit(runbook, step, action, plan, attempt, group, resumed !== undefined, writer, deps);
    if (permitted !== "go") return permitted;
  }
  await writer.assertHeld();
  writer.receiveNotices();

  using watch = watchFreeze(action.effect === "read" ? undefined : freezeQueryOf(action, plan, false, writer), deps);
  context = contextOf(writer, step, attempt, group, timeoutMs, deps, watch);
  try {
    const result = await action.run(plan, context);
    if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
    switch (result.kind) {
      case "done": {
        writer.receiveNotices();
        const first = writer.view.effects.length === 0;
        writer.record({ kind: "applied", step: step.id, attempt, output: result.output });
        deps.observer.stepEnded({
          runId: context.runId,
          stepId: step.id,
          action: action.name,
          outcome: "completed",
          ms: deps.clock.monotonic() - startedAt,
          targets: plan.targets,
        });
        if (action.effect !== "read" && first) deps.observer.firstEffect(deps.clock.now() - writer.view.acceptedAt);
        break;
      }
      case "continue":
        writer.record({ kind: "progressed", step: step.id, attempt, progress: result.progress, until: deps.clock.now() + result.afterMs });
        break;
      case "ask": {
        writer.record({ kind: "progressed", step: step.id, attempt, progress: result.progress, until: deps.clock.now() });
        askPeople(writer, step, { kind: "ask", text: result.question, answers: result.answers, byAction: true }, deps);
        break;
      }
    }
  } catch (error) {
    if (error instanceof LeaseLost || writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
    const failure = ensureFailure(error);
    // A read changes nothing, whatever became of it.
    failed(action.effect === "read" ? { ...failure, applied: "no" } : failure);
    deps.observer.stepEnded({
      runId: context.runId,
      stepId: step.id,
      action: action.name,
      outcome: failure.applied === "unknown" && action.effect === "once" ? "in_doubt" : "failed",
      ms: deps.clock.monotonic() - startedAt,
      targets: plan.targets,
    });
  }
  if (action.effect !== "read") await deps.sample(writer, runbook);
  // A result that must not be asked for twice is written at once; a repeatable one travels with the next intent.
  if (action.effect !== "read" && action.effect !== "set") await writer.flush();
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
async function permitFurther(step: Step, action: BoundAction, plan: Plan, writer: RunWriter, deps: AttemptDeps): Promise<"go" | Attempted> {
  writer.receiveNotices();
  const query = freezeQueryOf(action, plan, false, writer);
  const outside = await outsideFreeze(query, deps);
  if (outside !== undefined) return restFrozen(step, outside, writer, deps);
  const reply = await writer.flush({ effect: true, ...(query !== undefined && { freeze: query }) });
  if (reply.kind === "frozen") return restFrozen(step, reply.freeze, writer, deps);
  if (reply.kind === "unreplicated" || (reply.kind === "ok" && reply.unreplicated === true)) throw new NotReplicated(writer.lease.runId);
  // A stop was asked for meanwhile: the next move hears of it.
  return reply.kind === "ok" ? "go" : "noted";
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
  writer: RunWriter,
  deps: AttemptDeps,
): Promise<"go" | Attempted> {
  writer.receiveNotices();
  const { view } = writer;
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
      raised: raisedTargets(writer, deps),
      byMachine: view.request.source === "webhook" || view.request.source === "poll",
      ...(view.request.alert !== undefined && {
        fingerprint: view.request.alert.fingerprint,
        alertName: view.request.alert.labels["alertname"] ?? "",
      }),
    },
    now,
  );
  if (verdict.kind === "refuse") {
    deps.observer.refused(verdict.guardrail);
    writer.record({
      kind: "refused",
      step: step.id,
      guardrail: verdict.guardrail,
      reason: verdict.reason,
      plan,
      ...(verdict.retryAt !== undefined && { retryAt: verdict.retryAt }),
    });
    if (verdict.retryAt === undefined && view.request.mode !== "observe") {
      writer.record({
        kind: "failed",
        step: step.id,
        attempt,
        failure: { reason: "refused_by_guardrail", message: `${verdict.guardrail}: ${verdict.reason}`, applied: "no" },
      });
    }
    return "noted";
  }
  const wanted = verdict.kind === "ask" ? verdict.reason : approvalWanted(step, writer);
  if (wanted !== undefined && !approved && !again) {
    const outdated = known.approved !== undefined;
    if (outdated) deps.observer.refused("stale-plan");
    else if (verdict.kind === "ask") deps.observer.refused(verdict.guardrail);
    const rule = step.approval;
    askPeople(
      writer,
      step,
      {
        kind: "approve",
        text: `${outdated ? "stale-plan: what was permitted is too old, and now it would be another change. " : ""}${wanted} ${plan.summary}`,
        answers: ["approve", "reject"],
        planSha,
        plan,
        ...(verdict.kind === "ask" && verdict.group !== undefined && { group: verdict.group }),
        ...(rule !== undefined && { withinMs: rule.withinMs, role: rule.role, of: rule.of }),
      },
      deps,
    );
    return "noted";
  }
  writer.receiveNotices();
  const query = freezeQueryOf(action, plan, false, writer);
  const outside = await outsideFreeze(query, deps);
  if (outside !== undefined) return restFrozen(step, outside, writer, deps);
  writer.record({
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
  const reply = await writer.flush({
    claims: verdict.kind === "allow" && !again ? verdict.claims : [],
    summary: { step: step.name },
    effect: true,
    ...(query !== undefined && { freeze: query }),
  });
  if (reply.kind === "ok" && reply.unreplicated !== true) return "go";
  if (reply.kind === "ok") {
    // Nothing was sent, so a first intent is taken back; that of an earlier attempt still stands for bytes that may have been sent.
    if (!again) writer.record({ kind: "retried", step: step.id, why: "The intent did not reach the replicas in time; nothing was sent." });
    throw new NotReplicated(writer.lease.runId);
  }
  writer.discardLast();
  if (reply.kind === "frozen") return restFrozen(step, reply.freeze, writer, deps);
  if (reply.kind === "unreplicated") throw new NotReplicated(writer.lease.runId);
  if (reply.kind !== "claim_refused") return "noted";
  const lock = "lock" in reply.claim;
  // A bucket begins with the name of the guardrail that claims it.
  const guardrail = "bucket" in reply.claim ? (reply.claim.bucket.split(":")[0] ?? "limit") : "target-lock";
  deps.observer.refused(guardrail);
  writer.record({
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
function raisedTargets(writer: RunWriter, deps: AttemptDeps): readonly string[] {
  const intents = [...writer.view.steps.values()].flatMap(({ intent }) => intent ?? []);
  return intents.flatMap(({ action, plan }) => (deps.actions.find(action)?.risk === "raises" ? plan.targets : []));
}

function approvalWanted(step: Step, writer: RunWriter): string | undefined {
  const rule = step.approval;
  if (rule === undefined) return undefined;
  // Only a certain "true" lifts the need: cannot see means ask.
  if (rule.unless !== undefined && truthOf(evaluate(rule.unless.source, scopeOf(writer.view))) === "true") return undefined;
  return `The document asks for the permission of the ${rule.role} role.`;
}
