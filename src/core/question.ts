import type { Plan } from "./action.ts";
import type { Instant } from "./clock.ts";

/** Whatever waits for a person is one question, answered in one way. */
export type QuestionKind = "approve" | "manual" | "ask" | "in_doubt";

export const permittedAnswers: Readonly<Record<QuestionKind, readonly string[]>> = {
  approve: ["approve", "reject"],
  manual: ["done", "failed", "skipped"],
  ask: ["retry", "skip", "stop", "undo"],
  in_doubt: ["happened", "retry", "abort"],
};

/** One question to a person. */
export interface Question {
  readonly id: string;
  readonly runId: string;
  readonly runbookId: string;
  readonly stepId: string;
  readonly kind: QuestionKind;
  /** What a person reads. */
  readonly text: string;
  readonly answers: readonly string[];
  /** The exact plan an approval is for; absent when there is none. */
  readonly planSha?: string;
  /** What would be done, for an approval: before → after. */
  readonly plan?: Plan;
  /** Asked by an action in the middle of its work; the answer goes back to it. */
  readonly byAction?: boolean;
  readonly askedAt: Instant;
  readonly expiresAt?: Instant;
  /** Role that may answer. */
  readonly role: "operator" | "approver";
  /** How many different people must approve; absent: one. A rejection decides at once. */
  readonly of?: number;
  /** What asks for the same reason is put to people as one question; see `storm` in the guardrails. */
  readonly group?: string;
  /** Who started the run: may reject, and may not approve what was asked for by the same person. */
  readonly requester?: string;
}

/** Id of the one question that stands for all of a group. */
export function groupQuestionId(group: string): string {
  return `group_${group}`;
}

/** One person's consent on the way to the number that a question needs. */
export interface Consent {
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
}

/** When a question that nobody has answered is announced again, to more people: at half of its time. Undefined: it has no end, so no half. */
export function escalationOf(question: Question): Instant | undefined {
  return question.expiresAt === undefined ? undefined : Math.floor((question.askedAt + question.expiresAt) / 2);
}

/** A person's answer. */
export interface Answer {
  readonly answer: string;
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
  /** The others whose consent was needed, in order; `by` is the last of them. */
  readonly consents?: readonly Consent[];
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
