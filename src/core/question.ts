import type { Answer, Consent, Question, QuestionKind } from "../../packages/sdk/src/wire/questions.ts";
import type { Instant } from "./clock.ts";

export const permittedAnswers: Readonly<Record<QuestionKind, readonly string[]>> = {
  approve: ["approve", "reject"],
  manual: ["done", "failed", "skipped"],
  ask: ["retry", "skip", "stop", "undo"],
  in_doubt: ["happened", "retry", "abort"],
};

/** Id of the one question that stands for all of a group. */
export function groupQuestionId(group: string): string {
  return `group_${group}`;
}

/** When a question that nobody has answered is announced again, to more people: at half of its time. Undefined: it has no end, so no half. */
export function escalationOf(question: Question): Instant | undefined {
  return question.expiresAt === undefined ? undefined : Math.floor((question.askedAt + question.expiresAt) / 2);
}

/** A question as it was stored. Throws when the text is none. */
export function parseQuestion(text: string): Question {
  const value: unknown = JSON.parse(text);
  if (!isQuestion(value)) throw new Error(`This is no question: ${text.slice(0, 80)}`);
  return value;
}

function isQuestion(value: unknown): value is Question {
  return (
    typeof value === "object" && value !== null && "id" in value && "runId" in value && "answers" in value && Array.isArray(value.answers)
  );
}

/** An answer as it was stored. Throws when the text is none. */
export function parseAnswer(text: string): Answer {
  const value: unknown = JSON.parse(text);
  if (!isAnswer(value)) throw new Error(`This is no answer: ${text.slice(0, 80)}`);
  return value;
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && "answer" in value && "by" in value && "at" in value;
}

/** A consent as it was stored. Throws when the text is none. */
export function parseConsent(text: string): Consent {
  const value: unknown = JSON.parse(text);
  if (!isConsent(value)) throw new Error(`This is no consent: ${text.slice(0, 80)}`);
  return value;
}

function isConsent(value: unknown): value is Consent {
  return typeof value === "object" && value !== null && "by" in value && "reason" in value && "at" in value;
}
