import type { Verdict } from "../../../core/verdict.ts";
import { type Attempt, deferred, proceed, recordFailure, type StageOutcome } from "../attempt.ts";
import type { Candidate } from "../candidate.ts";
import { planShaOf } from "../plan-sha.ts";
import type { RunView } from "../run-view.ts";

/** Asks the guardrails about the plan. Their claims are only taken together with the intent. */
export async function guardStage(attempt: Attempt): Promise<StageOutcome> {
  const { writer, deps } = attempt.run;
  writer.receiveNotices();
  const approved = attempt.approved !== undefined && attempt.approved.planSha === planShaOf(attempt.action.name, attempt.plan);
  const verdict = await deps.guard(candidateOf(attempt, approved), deps.clock.now());
  if (verdict.kind === "refuse") return recordRefusal(attempt, verdict);
  attempt.judgement = { verdict, approved };
  return proceed;
}

function recordRefusal(attempt: Attempt, { guardrail, reason, retryAt }: Extract<Verdict, { readonly kind: "refuse" }>): StageOutcome {
  const { run, step, plan } = attempt;
  run.deps.publish({ kind: "step_refused", guardrail });
  run.writer.record({ kind: "refused", step: step.id, guardrail, reason, plan, ...(retryAt !== undefined && { retryAt }) });
  if (retryAt === undefined && run.writer.view.request.mode !== "observe")
    recordFailure(attempt, { reason: "refused_by_guardrail", message: `${guardrail}: ${reason}`, applied: "no" });
  return deferred;
}

function candidateOf({ run, step, action, plan }: Attempt, approved: boolean): Candidate {
  const { view } = run.writer;
  const { mode, target, source, alert } = view.request;
  return {
    runId: view.runId,
    runbook: run.runbook,
    step,
    action,
    plan,
    mode,
    target,
    approved,
    raised: raisedTargets(view, run.deps.actions),
    byMachine: source === "webhook" || source === "poll",
    ...(alert !== undefined && { fingerprint: alert.fingerprint, alertName: alert.labels["alertname"] ?? "" }),
  };
}

/** What the intents of this run have raised, earlier ones of the same step included. */
function raisedTargets(view: RunView, actions: Attempt["run"]["deps"]["actions"]): readonly string[] {
  const intents = [...view.steps.values()].flatMap(({ intent }) => intent ?? []);
  return intents.flatMap(({ action, risk, plan }) => ((risk ?? actions.find(action)?.risk) === "raises" ? plan.targets : []));
}
