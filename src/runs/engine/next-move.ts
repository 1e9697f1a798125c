import type { CheckSubject } from "../../../packages/sdk/src/wire/journal.ts";
import type { CheckItem, Runbook, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { keepLowered } from "./keep-lowered.ts";
import { conclude, type Move, type MoveContext, pollEvery, record, undoAll } from "./move.ts";
import { checkKey, type RunView, stepView } from "./run-view.ts";
import { moveOfStep } from "./step-move.ts";

/*
 * The states of a run
 *
 * A run has no field that holds its state: its state is what its journal says. Each state below names the entry that begins it.
 *
 * Checking (`accepted`). The Prerequisites are evaluated in order. One that is false fails the run; one that cannot be seen is
 * tried again, and after three tries the run is inconclusive. When all hold, the run is stepping.
 *
 * Stepping. The steps are done in the order of the document; step-move.ts has the states of one step. Before the first step that
 * changes something, the run asks whether its alert still fires, and stands down if it does not or if it was silenced. A run that a
 * person ordered, one that only observes, and one whose alert came from another sender begin without that question. After the last
 * step the run is verifying; a run that only observes stands down instead.
 *
 * Verifying. The Verification items are evaluated in order, each again and again within the time that it allows. The run
 * succeeded if all are true, is ineffective if one is false, and is inconclusive if none is false but one could not be seen.
 *
 * Undoing (`undo_started`). The effects are undone, the last one first; one that lowers risk or spend is kept. When an undo fails,
 * the run asks a person: retry it, skip this effect, or stop. After the last undo the run ends with the outcome that `undo_started`
 * carries.
 *
 * Concluded (`concluded`). The outcome is decided and does not change any more. The actions of Post-Action are done as steps whose
 * failure changes nothing.
 *
 * Finished (`finished`). Nothing follows.
 *
 * Four events interrupt a run that is not concluded; the first one that applies decides. While undoing only the first one does:
 *   a stop by a person                            → concluded, aborted
 *   the end of the alert, nothing changed yet     → concluded, stood down
 *   the end of the alert, `on_resolved: undo`     → undoing; any other run goes on, because a stop that works ends its own alert
 *   (neither of the two once another alert has joined the run with `on_joined: repeat`: that one may still fire)
 *   the running time is used up                   → concluded, failed; waiting for people and suspension do not count
 *
 * In every state a run may be suspended: released until a time, the answer of a person or the end of a freeze. Suspension is no
 * state of its own, because the same decision is made again when the run is claimed the next time.
 */

const maxPrerequisiteTries = 3;
const maxPreflightTries = 3;

/** What to do next with a run. Pure: it depends on the document, the folded journal and the context alone. */
export function nextMove(runbook: Runbook, view: RunView, context: MoveContext): Move {
  if (view.finished !== undefined) return { kind: "ended" };
  if (view.concluded !== undefined) return afterConclusion(runbook, view, context);
  if (view.stop !== undefined) return conclude("aborted", `Stopped by ${view.stop.by}: ${view.stop.reason}`);
  if (view.undoing !== undefined) return nextUndo({ runbook, view, undoing: view.undoing }, context);
  // The end of one alert says nothing of those that have joined.
  const resolved = view.joined === 0 ? view.resolved : undefined;
  if (resolved !== undefined && !view.changed)
    return conclude("stood_down", `Nothing had been changed yet when the alert ended: ${resolved}`);
  if (resolved !== undefined && runbook.onResolved === "undo") return undoAll(`The alert ended: ${resolved}`, "undone");
  if (view.runningMs > runbook.timeoutMs) {
    const message = "The run used up its running time.";
    return conclude("failed", message, { reason: "expired", message, applied: "no" });
  }
  return nextPrerequisite(runbook.prerequisites, view, context) ?? nextStep(runbook, view, context) ?? afterSteps(runbook, view, context);
}

/** The items of Post-Action that name an action, as steps. */
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

function afterConclusion(runbook: Runbook, view: RunView, context: MoveContext): Move {
  for (const step of postSteps(runbook)) {
    const move = moveOfStep(view, step, context);
    if (move !== undefined) return move;
  }
  const { outcome, reason, failure } = view.concluded ?? { outcome: "failed" as const, reason: "", failure: undefined };
  return { kind: "finish", outcome, reason, ...(failure !== undefined && { failure }) };
}

function nextPrerequisite(items: readonly CheckItem[], view: RunView, { now, intervals }: MoveContext): Move | undefined {
  for (const [index, item] of items.entries()) {
    if (item.check === undefined) continue;
    const subject: CheckSubject = { kind: "prerequisite", index };
    const checked = view.checks.get(checkKey(subject));
    if (checked === undefined) return { kind: "check", subject, item };
    if (checked.truth === "true") continue;
    const message = `Prerequisite ${index + 1} ${checked.truth === "false" ? "does not hold" : "could not be seen"}: ${checked.detail}`;
    if (checked.truth === "false") return conclude("failed", message, { reason: "prerequisite_false", message, applied: "no" });
    if (checked.tries >= maxPrerequisiteTries) return conclude("inconclusive", message);
    const due = checked.lastAt + intervals.prerequisiteRetryMs;
    return due > now
      ? { kind: "suspend", until: due, why: message, place: `Prerequisite ${index + 1}`, asked: false }
      : { kind: "check", subject, item };
  }
  return undefined;
}

function nextStep(runbook: Runbook, view: RunView, context: MoveContext): Move | undefined {
  const jump = runbook.steps.findIndex((step) => step.id === view.jumpTo);
  for (const [index, step] of runbook.steps.entries()) {
    if (stepView(view, step.id).over !== "no") continue;
    if (index < jump) return record({ kind: "skipped", step: step.id, why: `Jumped over to "${runbook.steps[jump]?.name ?? ""}".` });
    const move = moveOfStep(view, step, context);
    if (move?.kind === "attempt" && context.capabilities.mutates(step)) return preflight(view, step, context) ?? move;
    if (move !== undefined) return move;
  }
  return undefined;
}

/** While nothing has been changed yet: does the alert still fire, and is it not silenced? Undefined: the step may begin. */
function preflight(view: RunView, step: Step, { now, intervals, capabilities }: MoveContext): Move | undefined {
  const { alert, mode, source } = view.request;
  const byAlert = source === "webhook" || source === "poll";
  const canAsk = capabilities.canAskAlertmanager && alert !== undefined && alert.sender === undefined && byAlert;
  if (!canAsk || view.changed || mode === "observe" || view.joined > 0) return undefined;
  const answer = view.preflight;
  if (answer === undefined || !answer.fresh) return { kind: "preflight" };
  switch (answer.standing) {
    case "gone":
    case "silenced":
      return conclude("stood_down", `Nothing had been changed yet, and ${answer.detail}.`);
    case "unknown": {
      const why = `Whether the alert still fires could not be seen: ${answer.detail}.`;
      if (answer.unknowns >= maxPreflightTries) return conclude("inconclusive", why);
      const due = answer.at + intervals.prerequisiteRetryMs;
      return due > now ? { kind: "suspend", until: due, why, step: step.id, asked: false } : { kind: "preflight" };
    }
    case "firing":
      return now - answer.at > intervals.preflightMaxAgeMs ? { kind: "preflight" } : undefined;
  }
}

function afterSteps(runbook: Runbook, view: RunView, context: MoveContext): Move {
  if (view.request.mode === "observe") return conclude("stood_down", "Mode observe: the plan is recorded, nothing was changed.");
  return nextVerification(runbook.verification, view, context) ?? concludeVerified(runbook, view);
}

function nextVerification(items: readonly CheckItem[], view: RunView, { now }: MoveContext): Move | undefined {
  for (const [index, item] of items.entries()) {
    if (item.check === undefined) continue;
    const subject: CheckSubject = { kind: "verification", index };
    const checked = view.checks.get(checkKey(subject));
    if (checked === undefined) return { kind: "check", subject, item };
    const { withinMs } = item.check;
    if (checked.truth === "true" || withinMs === undefined || checked.lastAt >= checked.firstAt + withinMs) continue;
    const due = Math.min(checked.firstAt + withinMs, checked.lastAt + pollEvery(withinMs));
    return due > now
      ? { kind: "suspend", until: due, why: `verifying: ${checked.detail}`, place: `Verification ${index + 1}`, asked: false }
      : { kind: "check", subject, item };
  }
  return undefined;
}

function concludeVerified(runbook: Runbook, view: RunView): Move {
  const truths = runbook.verification.flatMap((item, index) =>
    item.check === undefined ? [] : [view.checks.get(checkKey({ kind: "verification", index }))?.truth ?? "inconclusive"],
  );
  if (truths.includes("false")) return conclude("ineffective", "The steps were done, but the Verification does not hold.");
  if (truths.includes("inconclusive")) return conclude("inconclusive", "The steps were done, but the Verification could not be seen.");
  return conclude(
    "succeeded",
    truths.length > 0 ? "Every step is done and the Verification holds." : "Every step is done; the document has no check to verify.",
  );
}

interface UndoingRun {
  readonly runbook: Runbook;
  readonly view: RunView;
  readonly undoing: NonNullable<RunView["undoing"]>;
}

function nextUndo({ runbook, view, undoing }: UndoingRun, context: MoveContext): Move {
  const effect = view.effects.findLast((done) => done.state !== "undone");
  if (effect === undefined) return conclude(undoing.outcome, undoing.why);
  if (effect.intent.risk === "lowers") return record(keepLowered(effect));
  const step = findStep(runbook, effect.step);
  if (step === undefined) return record({ kind: "undone", step: effect.step, note: "The document has no such step." });
  const byPerson = effect.state === "undo_failed" ? moveOfFailedUndo(view, step, context) : undefined;
  return byPerson ?? { kind: "undo", step, effect };
}

/** Undefined: a person has said that the undo is tried again. */
function moveOfFailedUndo(view: RunView, step: Step, { now }: MoveContext): Move | undefined {
  const open = view.question;
  const { failure } = stepView(view, step.id);
  if (open === undefined || open.question.stepId !== step.id) {
    return {
      kind: "ask",
      question: "ask",
      step,
      text: `Undo of step ${step.number} "${step.name}" did not work: ${failure?.message ?? "unknown"}`,
      answers: ["retry", "skip", "stop"],
    };
  }
  const { answer, expiresAt } = open;
  if (answer === undefined) {
    const until = expiresAt ?? Number.POSITIVE_INFINITY;
    if (until > now) return { kind: "suspend", until, why: "waiting for a person: undo failed", step: step.id, asked: true };
    return conclude("failed", "An undo failed and nobody said what to do.", failure);
  }
  switch (answer.answer) {
    case "skip":
      return record({ kind: "undone", step: step.id, note: `Left as it is by ${answer.by}.` });
    case "stop":
      return conclude("failed", `Undo stopped by ${answer.by}.`, failure);
    default:
      return undefined;
  }
}
