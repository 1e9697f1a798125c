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
}

/** A person's answer. */
export interface Answer {
  readonly answer: string;
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
}
