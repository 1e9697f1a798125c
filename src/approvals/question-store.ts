import type { AskedQuestion, Consent, Question } from "../../packages/sdk/src/wire/questions.ts";
import type { AnswerRequest } from "./approval-service.ts";

/** A question with the run that has asked it. */
export type StoredQuestion = AskedQuestion & { readonly runId: string };

/** An answer as the store is asked to record it. */
export interface AnswerWrite {
  readonly question: Question;
  readonly runId: string;
  readonly request: AnswerRequest;
  /** What was read before: the head of the run's journal, and who had consented. */
  readonly head: string;
  readonly consents: readonly Consent[];
  /** `alone`: this answer decides by itself; `consent`: more must follow; `decide`: the last that was needed. */
  readonly mode: "alone" | "consent" | "decide";
}

/**
 * `ok`: decided. `recorded`: kept as a consent; `counted`: this person has consented before. `over`: the run does not wait for it any more.
 * `conflict`: the head or the consents have changed, read again. `busy`: a worker has the run. `already:` is followed by the JSON of the earlier answer.
 */
export type AnswerResult = "ok" | "recorded" | "counted" | "expired" | "over" | "conflict" | "not_found" | "busy" | `already:${string}`;

/** Questions and what was answered, with the one atomic write of an answer. */
export interface QuestionStore {
  /** Undefined: there is no such question. */
  read(id: string): Promise<StoredQuestion | undefined>;
  /** What an answer is written after. `withConsents`: the consents are needed. */
  standing(
    about: { readonly id: string; readonly runId: string },
    withConsents: boolean,
  ): Promise<{ readonly head: string; readonly consents: readonly Consent[] }>;
  /** Decides races: exactly one answer wins. */
  record(write: AnswerWrite): Promise<AnswerResult>;
}
