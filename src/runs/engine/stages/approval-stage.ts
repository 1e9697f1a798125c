import type { Step } from "../../../../packages/sdk/src/wire/runbooks.ts";
import { askPeople } from "../ask-people.ts";
import { type Attempt, deferred, proceed, type StageOutcome } from "../attempt.ts";
import { planShaOf } from "../plan-sha.ts";
import type { RunView } from "../run-view.ts";
import { wantsPermission } from "../wants-permission.ts";

/** Asks a person where a guardrail or the document wants a permission of exactly this plan. A resumed intent has it already. */
export function approvalStage(attempt: Attempt): StageOutcome {
  const { run, step, judgement } = attempt;
  if (judgement.approved || attempt.resumed !== undefined) return proceed;
  const { verdict } = judgement;
  const wanted = verdict.kind === "ask" ? verdict.reason : wantedByDocument(step, run.writer.view);
  if (wanted === undefined) return proceed;
  requestApproval(attempt, wanted);
  return deferred;
}

function requestApproval({ run, step, action, plan, judgement, approved }: Attempt, wanted: string): void {
  const { verdict } = judgement;
  const isOutdated = approved !== undefined;
  if (isOutdated) run.deps.publish({ kind: "step_refused", guardrail: "stale-plan" });
  else if (verdict.kind === "ask") run.deps.publish({ kind: "step_refused", guardrail: verdict.guardrail });
  const rule = step.approval;
  askPeople(run, step, {
    kind: "approve",
    text: `${isOutdated ? "stale-plan: what was permitted is too old, and now it would be another change. " : ""}${wanted} ${plan.summary}`,
    answers: ["approve", "reject"],
    planSha: planShaOf(action.name, plan),
    plan,
    ...(verdict.kind === "ask" && verdict.group !== undefined && { group: verdict.group }),
    ...(rule !== undefined && { withinMs: rule.withinMs, role: rule.role, of: rule.of }),
  });
}

function wantedByDocument(step: Step, view: RunView): string | undefined {
  return wantsPermission(step, view) ? `The document asks for the permission of the ${step.approval.role} role.` : undefined;
}
