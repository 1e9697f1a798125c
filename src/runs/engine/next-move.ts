import type { CheckSubject } from "../../../packages/sdk/src/wire/journal.ts";
import type { CheckItem, Runbook, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { Instant } from "../../core/clock.ts";
import { conclude, defaultPace, type Move, type Pace, pollEvery, record, type Sight, undoAll } from "./move.ts";
import { checkKey, type RunView, stepView } from "./run-view.ts";
import { moveOfStep } from "./step-move.ts";

const blind: Sight = { alerts: false, mutates: () => true };

const prerequisiteTries = 3;
const preflightTries = 3;

/**
 * The whole state machine: what to do next is one pure function of the document, the journal (folded) and the time.
 *
 * prerequisites → steps in order (When → preflight while nothing is changed → attempt → Expected → failure policy) → verification → Post-Action → finish;
 * a stop, a resolve before any change, an expired run and an undo cut in between.
 */
export function nextMove(runbook: Runbook, view: RunView, now: Instant, pace: Pace = defaultPace, sight: Sight = blind): Move {
  if (view.finished !== undefined) return { kind: "ended" };
  if (view.concluded !== undefined) return afterConclusion(runbook, view, now, pace);
  if (view.stop !== undefined) return conclude("aborted", `Stopped by ${view.stop.by}: ${view.stop.reason}`);
  if (view.undoing !== undefined) return nextUndo(runbook, view, view.undoing, now);
  if (view.resolved !== undefined && !view.changed)
    return conclude("stood_down", `Nothing had been changed yet when the alert ended: ${view.resolved}`);
  if (view.resolved !== undefined && runbook.onResolved === "undo") return undoAll(`The alert ended: ${view.resolved}`, "undone");
  if (view.runningMs > runbook.timeoutMs) {
    return conclude("failed", "The run used up its running time.", {
      reason: "expired",
      message: "The run used up its running time.",
      applied: "no",
    });
  }
  return (
    nextCheck(view, "prerequisite", runbook.prerequisites, now, pace) ??
    nextStep(runbook, view, now, pace, sight) ??
    (view.request.mode === "observe"
      ? conclude("stood_down", "Mode observe: the plan is recorded, nothing was changed.")
      : (nextCheck(view, "verification", runbook.verification, now, pace) ?? verdictOf(runbook, view)))
  );
}

/** The steps of Post-Action that a machine can do, as steps. */
export function postSteps(runbook: Runbook): readonly Step[] {
  return runbook.postAction.flatMap((item, index) =>
    item.action === undefined
      ? []
      : [
          {
            id: `post_action_${index + 1}`,
            name: `Post-Action ${index + 1}`,
            number: index + 1,
            text: item.text,
            position: item.position,
            action: item.action,
            onFailure: { retries: 2, retryEveryMs: 1000, then: { kind: "continue" } },
          } satisfies Step,
        ],
  );
}

/** The step with this id, Post-Action included. */
export function findStep(runbook: Runbook, id: string): Step | undefined {
  return runbook.steps.find((step) => step.id === id) ?? postSteps(runbook).find((step) => step.id === id);
}

function afterConclusion(runbook: Runbook, view: RunView, now: Instant, pace: Pace): Move {
  for (const step of postSteps(runbook)) {
    const move = moveOfStep(view, step, now, pace);
    if (move !== undefined) return move;
  }
  const { outcome, reason, failure } = view.concluded ?? { outcome: "failed" as const, reason: "", failure: undefined };
  return { kind: "finish", outcome, reason, ...(failure !== undefined && { failure }) };
}

function nextStep(runbook: Runbook, view: RunView, now: Instant, pace: Pace, sight: Sight): Move | undefined {
  const jump = runbook.steps.findIndex((step) => step.id === view.jumpTo);
  for (const [index, step] of runbook.steps.entries()) {
    if (stepView(view, step.id).over !== "no") continue;
    if (index < jump) return record({ kind: "skipped", step: step.id, why: `Jumped over to "${runbook.steps[jump]?.name ?? ""}".` });
    const move = moveOfStep(view, step, now, pace);
    if (move?.kind === "attempt" && sight.mutates(step)) return preflight(view, step, now, pace, sight) ?? move;
    if (move !== undefined) return move;
  }
  return undefined;
}

/**
 * While nothing has been changed yet: does the alert still fire, and has nobody silenced it? Undefined: go on.
 * A run that a person ordered, one that only observes, and one whose sender cannot be asked go on without.
 */
function preflight(view: RunView, step: Step, now: Instant, pace: Pace, sight: Sight): Move | undefined {
  const { alert, mode, source } = view.request;
  const asks = sight.alerts && alert !== undefined && alert.sender === undefined && (source === "webhook" || source === "poll");
  if (!asks || view.changed || mode === "observe") return undefined;
  const seen = view.preflight;
  if (seen === undefined || !seen.fresh) return { kind: "preflight" };
  switch (seen.standing) {
    case "gone":
    case "silenced":
      return conclude("stood_down", `Nothing had been changed yet, and ${seen.detail}.`);
    case "unknown": {
      const why = `Whether the alert still fires could not be seen: ${seen.detail}.`;
      if (seen.unknowns >= preflightTries) return conclude("inconclusive", why);
      const due = seen.at + pace.prerequisiteEveryMs;
      return due > now ? { kind: "suspend", until: due, why, step: step.id, asked: false } : { kind: "preflight" };
    }
    case "firing":
      return now - seen.at > pace.preflightFreshMs ? { kind: "preflight" } : undefined;
  }
}

function nextCheck(
  view: RunView,
  kind: "prerequisite" | "verification",
  items: readonly CheckItem[],
  now: Instant,
  pace: Pace,
): Move | undefined {
  for (const [index, item] of items.entries()) {
    if (item.check === undefined) continue;
    const subject: CheckSubject = { kind, index };
    const seen = view.checks.get(checkKey(subject));
    if (seen === undefined) return { kind: "check", subject, item };
    if (seen.truth === "true") continue;
    if (kind === "verification") {
      const { withinMs } = item.check;
      if (withinMs === undefined || seen.lastAt >= seen.firstAt + withinMs) continue;
      const due = Math.min(seen.firstAt + withinMs, seen.lastAt + pollEvery(withinMs));
      if (due > now) return { kind: "suspend", until: due, why: `verifying: ${seen.detail}`, asked: false };
      return { kind: "check", subject, item };
    }
    const message = `Prerequisite ${index + 1} ${seen.truth === "false" ? "does not hold" : "could not be seen"}: ${seen.detail}`;
    if (seen.truth === "false") return conclude("failed", message, { reason: "prerequisite_false", message, applied: "no" });
    if (seen.tries >= prerequisiteTries) return conclude("inconclusive", message);
    const due = seen.lastAt + pace.prerequisiteEveryMs;
    if (due > now) return { kind: "suspend", until: due, why: message, asked: false };
    return { kind: "check", subject, item };
  }
  return undefined;
}

function verdictOf(runbook: Runbook, view: RunView): Move {
  const seen = runbook.verification.flatMap((item, index) =>
    item.check === undefined ? [] : [view.checks.get(checkKey({ kind: "verification", index }))?.truth ?? "inconclusive"],
  );
  if (seen.includes("false")) return conclude("ineffective", "The steps were done, but the Verification does not hold.");
  if (seen.includes("inconclusive")) return conclude("inconclusive", "The steps were done, but the Verification could not be seen.");
  return conclude(
    "succeeded",
    seen.length > 0 ? "Every step is done and the Verification holds." : "Every step is done; the document has no check to verify.",
  );
}

function nextUndo(runbook: Runbook, view: RunView, undoing: NonNullable<RunView["undoing"]>, now: Instant): Move {
  const effect = view.effects.findLast((done) => done.state !== "undone");
  if (effect === undefined) return conclude(undoing.outcome, undoing.why);
  const step = findStep(runbook, effect.step);
  if (step === undefined) return record({ kind: "undone", step: effect.step, note: "The document has no such step." });
  const open = view.question;
  if (effect.state === "undo_failed") {
    if (open === undefined || open.question.stepId !== step.id) {
      return {
        kind: "ask",
        question: "ask",
        step,
        text: `Undo of step ${step.number} "${step.name}" did not work: ${stepView(view, step.id).failure?.message ?? "unknown"}`,
        answers: ["retry", "skip", "stop"],
      };
    }
    if (open.answer === undefined) {
      if (open.question.expiresAt === undefined || open.question.expiresAt > now) {
        return {
          kind: "suspend",
          until: open.question.expiresAt ?? Number.POSITIVE_INFINITY,
          why: "waiting for a person: undo failed",
          step: step.id,
          asked: true,
        };
      }
      return conclude("failed", "An undo failed and nobody said what to do.", stepView(view, step.id).failure);
    }
    if (open.answer.answer === "skip") return record({ kind: "undone", step: step.id, note: `Left as it is by ${open.answer.by}.` });
    if (open.answer.answer === "stop") return conclude("failed", `Undo stopped by ${open.answer.by}.`, stepView(view, step.id).failure);
  }
  return { kind: "undo", step, effect };
}
