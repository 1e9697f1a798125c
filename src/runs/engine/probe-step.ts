import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { ActionOutput } from "../../../packages/sdk/src/wire/plans.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { BoundAction, Probe } from "../../core/action.ts";
import { ensureFailure } from "../../core/failure.ts";
import { evaluate, truthOf } from "../../runbooks/expressions/expression.ts";
import { contextOf, type Invocation } from "./action-context.ts";
import type { ActiveRun } from "./active-run.ts";
import { askPeople } from "./ask-people.ts";
import { recordFailure } from "./attempt.ts";
import { bindCall } from "./bind-call.ts";
import type { MoveOf } from "./move.ts";
import { idempotencyKeyOf } from "./plan-sha.ts";
import { stepView } from "./run-view.ts";
import { LeaseLost } from "./run-writer.ts";
import { sampleMetrics } from "./sample-metrics.ts";
import { scopeOf } from "./scope.ts";

/** A step whose outcome is unknown again and again is a failing step. */
const maxAttemptsInDoubt = 3;

/**
 * After a crash or an unknown outcome: asks the target whether the pending effect happened, and records what it says.
 * @throws LeaseLost
 */
export async function probeStep({ step }: MoveOf<"probe">, run: ActiveRun): Promise<void> {
  const { writer } = run;
  const { attempts: number, intent } = stepView(writer.view, step.id);
  const probe = await readEffect(step, run);
  switch (probe.kind) {
    case "unbound":
      recordFailure({ run, step, number }, probe.failure);
      break;
    case "applied":
      writer.record({ kind: "applied", step: step.id, attempt: number, output: probe.output, found: "probe" });
      break;
    case "not_applied":
      if (number <= maxAttemptsInDoubt) writer.record({ kind: "retried", step: step.id, why: "The target says that it did not happen." });
      else
        recordFailure(
          { run, step, number },
          {
            reason: "unknown_outcome",
            message: `${number} attempts of unknown outcome, and the target says that it did not happen.`,
            applied: "no",
          },
        );
      break;
    case "unknown":
      askPeople(run, step, {
        kind: "in_doubt",
        text: `Nobody knows whether this happened: ${intent?.plan.summary ?? step.name}. The target could not be asked: ${probe.reason}`,
        answers: ["happened", "retry", "abort"],
      });
      break;
  }
}

/**
 * Reads the effect again because the step's Expected does not hold yet, and records what it sees.
 * @throws LeaseLost
 */
export async function recheckStep({ step, last }: MoveOf<"recheck">, run: ActiveRun): Promise<void> {
  const { writer } = run;
  const { attempts: number } = stepView(writer.view, step.id);
  const probe = await readEffect(step, run);
  if (probe.kind === "unbound") {
    recordFailure({ run, step, number }, probe.failure);
    return;
  }
  await sampleMetrics(run);
  if (probe.kind === "applied") {
    writer.record({ kind: "applied", step: step.id, attempt: number, output: probe.output });
    judgeExpected({ step, output: probe.output, last }, run);
  } else {
    const detail = probe.kind === "unknown" ? probe.reason : "the effect is not there";
    writer.record({ kind: "checked", subject: { kind: "expected", step: step.id }, truth: "inconclusive", detail });
  }
}

async function readEffect(step: Step, run: ActiveRun): Promise<Probe | { readonly kind: "unbound"; readonly failure: Failure }> {
  if (step.action === undefined) throw new Error(`Step ${step.id} has no action to probe.`);
  const bound = bindCall(step.action, run);
  if (!bound.ok) return { kind: "unbound", failure: bound.failure };
  const { action } = bound;
  // Only a read may be run again to see its effect; anything else needs its probe.
  if (action.probe === undefined && action.effect !== "read") return { kind: "unknown", reason: "the action has no probe" };
  const { writer } = run;
  const { attempts: number, group } = stepView(writer.view, step.id);
  const idempotencyKey = idempotencyKeyOf(writer.lease.runId, step.id, group);
  try {
    return await callProbe(action, { run, step, number, idempotencyKey, timeoutMs: step.timeoutMs ?? action.timeoutMs });
  } catch (error) {
    if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
    return { kind: "unknown", reason: ensureFailure(error).message };
  }
}

async function callProbe(action: BoundAction, invocation: Invocation): Promise<Probe> {
  const context = contextOf(invocation);
  const { intent } = stepView(invocation.run.writer.view, invocation.step.id);
  const plan = intent?.plan ?? (await action.plan(context));
  if (action.probe !== undefined) return action.probe(plan, context);
  const result = await action.run(plan, context);
  return result.kind === "done" ? { kind: "applied", output: result.output } : { kind: "unknown", reason: "the read is not finished" };
}

/** `last`: the time that Expected allows is over. */
function judgeExpected(
  { step, output, last }: { readonly step: Step; readonly output: ActionOutput; readonly last: boolean },
  { writer }: ActiveRun,
): void {
  writer.receiveNotices();
  const source = step.expected?.expression.source ?? "true";
  const evaluation = evaluate(source, scopeOf(writer.view, output));
  const truth = truthOf(evaluation);
  // `true` is recorded by the next move together with the end of the step.
  if (truth === "true") return;
  const detail =
    evaluation.kind === "missing"
      ? `${evaluation.what} is missing`
      : `\`${source}\` is ${truth}${last ? " at the end of the time allowed" : ""}`;
  writer.record({ kind: "checked", subject: { kind: "expected", step: step.id }, truth, detail });
}
