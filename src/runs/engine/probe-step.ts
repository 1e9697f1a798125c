import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Runbook, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { ensureFailure } from "../../core/failure.ts";
import { evaluate, truthOf } from "../../runbooks/expressions/expression.ts";
import { askPeople } from "./ask-people.ts";
import { type AttemptDeps, bindCall, contextOf } from "./bind-call.ts";
import { stepView } from "./run-view.ts";
import { LeaseLost, type RunWriter } from "./run-writer.ts";
import { scopeOf } from "./scope.ts";

/** A step whose outcome is unknown again and again is a failing step. */
const maxAttemptsInDoubt = 3;

/** Reads the effect of a step again: after a crash (`doubt`) or because its Expected does not hold yet. */
export async function probeStep(
  runbook: Runbook,
  step: Step,
  purpose: "doubt" | "expected",
  last: boolean,
  writer: RunWriter,
  deps: AttemptDeps,
): Promise<void> {
  const known = stepView(writer.view, step.id);
  if (step.action === undefined) throw new Error(`Step ${step.id} has no action to probe.`);
  const bound = bindCall(step.action, writer, deps);
  const failed = (failure: Failure) => writer.record({ kind: "failed", step: step.id, attempt: known.attempts, failure });
  if (!bound.ok) {
    failed(bound.failure);
    return;
  }
  const { action } = bound;
  const context = contextOf(writer, step, known.attempts, known.group, step.timeoutMs ?? action.timeoutMs, deps);
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
    if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
    seen = { kind: "unknown", reason: ensureFailure(error).message };
  }
  if (purpose === "doubt") {
    if (seen.kind === "applied")
      writer.record({ kind: "applied", step: step.id, attempt: known.attempts, output: seen.output, found: "probe" });
    else if (seen.kind === "not_applied" && known.attempts <= maxAttemptsInDoubt)
      writer.record({ kind: "retried", step: step.id, why: "The target says that it did not happen." });
    else if (seen.kind === "not_applied")
      failed({
        reason: "unknown_outcome",
        message: `${known.attempts} attempts of unknown outcome, and the target says that it did not happen.`,
        applied: "no",
      });
    else {
      askPeople(
        writer,
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
  await deps.sample(writer, runbook);
  judgeExpected(
    step,
    seen.kind === "applied" ? seen.output : undefined,
    seen.kind === "unknown" ? seen.reason : "the effect is not there",
    last,
    writer,
    known.attempts,
  );
}

function judgeExpected(
  step: Step,
  output: { readonly [key: string]: Json } | undefined,
  why: string,
  last: boolean,
  writer: RunWriter,
  attempt: number,
): void {
  const source = step.expected?.expression.source ?? "true";
  const subject = { kind: "expected", step: step.id } as const;
  if (output === undefined) {
    writer.record({ kind: "checked", subject, truth: "inconclusive", detail: why });
  } else {
    writer.record({ kind: "applied", step: step.id, attempt, output });
    writer.receiveNotices();
    const seen = evaluate(source, scopeOf(writer.view, output));
    const truth = truthOf(seen);
    // `true` is noted by the next move together with the end of the step.
    if (truth !== "true")
      writer.record({
        kind: "checked",
        subject,
        truth,
        detail:
          seen.kind === "missing" ? `${seen.what} is missing` : `\`${source}\` is ${truth}${last ? " at the end of the time allowed" : ""}`,
      });
  }
}
