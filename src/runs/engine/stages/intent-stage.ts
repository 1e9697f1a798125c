import type { AppendResult } from "../../store.ts";
import { type Attempt, deferred, proceed, type StageOutcome } from "../attempt.ts";
import { NotReplicated } from "../run-writer.ts";
import { suspendForFreeze } from "../suspend-for-freeze.ts";

/** How long a run waits for a claim whose end is not known. */
const claimRetryMs = 2000;

/** Writes the intent and takes the guardrails' claims, in one script that also compares freezes and stops. After it the effect may begin. */
export async function intentStage(attempt: Attempt): Promise<StageOutcome> {
  const { run, step, freezeQuery, judgement } = attempt;
  const { writer } = run;
  const isFirst = attempt.resumed === undefined;
  recordIntent(attempt);
  const result = await writer.flush({
    // A resumed intent has taken its claims.
    claims: judgement.verdict.kind === "allow" && isFirst ? judgement.verdict.claims : [],
    summary: { step: step.name },
    precedes: "effect",
    ...(freezeQuery !== undefined && { freeze: freezeQuery }),
  });
  if (result.kind === "ok" && result.unreplicated === true) {
    // Nothing was sent, so a first intent is taken back; that of an earlier attempt stays for bytes that may have been sent.
    if (isFirst)
      writer.record({ kind: "retried", step: step.id, why: "The intent might not survive a failure of the store; nothing was sent." });
    throw new NotReplicated(writer.lease.runId);
  }
  if (result.kind === "ok") return proceed;
  writer.discardLast();
  if (result.kind === "claim_refused") return recordClaimRefusal(attempt, result);
  return outcomeOfRefusedWrite(attempt, result);
}

/** The intent of an action that continues is written; this worker's claim of the run must be durable before it acts again, and no freeze may cover it. */
export async function continueIntentStage(attempt: Attempt): Promise<StageOutcome> {
  const { freezeQuery } = attempt;
  const { writer } = attempt.run;
  const result = await writer.flush({ precedes: "effect", ...(freezeQuery !== undefined && { freeze: freezeQuery }) });
  if (result.kind === "ok" && result.unreplicated === true) throw new NotReplicated(writer.lease.runId);
  return result.kind === "ok" ? proceed : outcomeOfRefusedWrite(attempt, result);
}

function recordIntent({ run, step, action, number, group, plan, judgement, approved }: Attempt): void {
  run.writer.record({
    kind: "intent",
    step: step.id,
    action: action.name,
    effect: action.effect,
    risk: action.risk,
    attempt: number,
    group,
    plan,
    ...(judgement.approved && approved !== undefined && { planSha: approved.planSha }),
  });
}

async function outcomeOfRefusedWrite({ run, step }: Attempt, result: AppendResult): Promise<StageOutcome> {
  if (result.kind === "frozen") return suspendForFreeze(result.freeze, step, run);
  if (result.kind === "unreplicated") throw new NotReplicated(run.writer.lease.runId);
  // A person has asked for a stop: the next move receives the notice.
  return deferred;
}

function recordClaimRefusal(
  { run, step, plan }: Attempt,
  refusal: Extract<AppendResult, { readonly kind: "claim_refused" }>,
): StageOutcome {
  const { claim, holder, retryAt } = refusal;
  // A bucket begins with the name of the guardrail that claims it.
  const guardrail = "bucket" in claim ? (claim.bucket.split(":")[0] ?? "limit") : "target-lock";
  run.deps.publish({ kind: "step_refused", guardrail });
  run.writer.record({
    kind: "refused",
    step: step.id,
    guardrail,
    reason: "lock" in claim ? `the target is held by run ${holder ?? "unknown"}` : "the limit of this window is used up",
    retryAt: retryAt ?? run.deps.clock.now() + claimRetryMs,
    plan,
  });
  return deferred;
}
