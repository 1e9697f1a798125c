import type { Answer, Question } from "../../../packages/sdk/src/wire/questions.ts";
import { conclude, type Move, record, undoAll } from "./move.ts";
import { failStep, type StepFacts } from "./step-facts.ts";

/*
 * The states of a question
 *
 * Open (`asked`). The run is suspended until the question is escalated or expires; one without an expiry waits without end. When
 * half of its time is over, it is announced to more people.
 *
 * Escalated (`escalated`). The run is suspended until the question expires.
 *
 * Expired. Time alone brings it here, and no entry says so: the step fails as if the answer had been no.
 *
 * Answered (`answered`). The kind of the question decides:
 *   approve    approve: the step is attempted, with exactly the plan that was shown; reject: it fails
 *   manual     done: completed; skipped: skipped; failed: it fails
 *   ask        by the action: it is called again and receives the answer; by the failure policy: retry, skip, undo or stop
 *   in_doubt   happened: the effect is recorded as applied; retry: the step begins afresh; abort: the run is undone and aborted
 *
 * Settled. The next entry about the step removes the question.
 */

/** What an open or answered question of this step leads to. Undefined: the step has none, or a person has permitted it to go on. */
export function moveOfQuestion(facts: StepFacts): Move | undefined {
  const open = facts.view.question;
  if (open === undefined || open.question.stepId !== facts.step.id) return undefined;
  const { question, answer, expiresAt, isEscalated } = open;
  if (answer !== undefined) return moveOfAnswer(facts, question, answer);
  if (expiresAt !== undefined && expiresAt <= facts.now)
    return failStep(facts, "stopped_by_person", "Nobody answered in time, so the step was not allowed.");
  const escalateAt = isEscalated === true ? undefined : open.escalateAt;
  if (escalateAt !== undefined && escalateAt <= facts.now) return { kind: "escalate", question };
  return {
    kind: "suspend",
    until: escalateAt ?? expiresAt ?? Number.POSITIVE_INFINITY,
    why: `waiting for a person: ${question.kind}`,
    step: facts.step.id,
    asked: true,
  };
}

function moveOfAnswer(facts: StepFacts, question: Question, { answer, by, reason }: Answer): Move | undefined {
  const { step, state } = facts;
  const answeredBy = `${by}${reason === "" ? "" : `: ${reason}`}`;
  switch (question.kind) {
    case "approve":
      return answer === "approve" ? undefined : failStep(facts, "stopped_by_person", `Rejected by ${answeredBy}.`);
    case "manual":
      if (answer === "done") return record({ kind: "completed", step: step.id });
      if (answer === "skipped") return record({ kind: "skipped", step: step.id, why: `Skipped by ${answeredBy}.` });
      return failStep(facts, "stopped_by_person", `Marked as failed by ${answeredBy}.`);
    case "ask":
      // The action itself has asked: it continues with the answer.
      if (question.byAction === true) return { kind: "attempt", step, resume: state.pending };
      if (answer === "retry") return record({ kind: "retried", step: step.id, why: `Retry ordered by ${answeredBy}.` });
      if (answer === "skip") return record({ kind: "skipped", step: step.id, why: `Skipped by ${answeredBy}.` });
      if (answer === "undo") return undoAll(`Undo ordered by ${answeredBy}.`, "undone");
      return conclude("failed", `Stopped by ${answeredBy}.`, state.failure);
    case "in_doubt":
      if (answer === "happened") return record({ kind: "applied", step: step.id, attempt: state.attempts, output: {}, found: "person" });
      if (answer === "retry") return record({ kind: "retried", step: step.id, why: `${answeredBy} says it did not happen.` });
      return undoAll(`Abort and undo ordered by ${answeredBy}.`, "aborted");
  }
}
