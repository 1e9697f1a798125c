import type { Instant } from "../../core/clock.ts";
import type { MicroUsd } from "../../core/money.ts";
import type { EvaluatedPair, EvaluationSubject } from "./evaluator.ts";

/** Answers of a person who has compared two variants by hand. */
export const evaluationAnswers = ["pass", "worse", "dear"] as const;

/** See {@link evaluationAnswers}. */
export type EvaluationAnswer = (typeof evaluationAnswers)[number];

/** What an evaluation came to. `capped`: it was stopped as it cost too much, and shows nothing. */
export type EvaluationOutcome =
  | { readonly kind: "pairs"; readonly pairs: readonly EvaluatedPair[] }
  | { readonly kind: "capped"; readonly pairs: number; readonly costMicroUsd: MicroUsd }
  | { readonly kind: "person"; readonly answer: EvaluationAnswer };

/** An evaluation that has ended. */
export interface Evaluation {
  readonly id: string;
  readonly subject: EvaluationSubject;
  readonly at: Instant;
  /** Tickets that were to be worked on. */
  readonly ticketIds: readonly string[];
  readonly outcome: EvaluationOutcome;
}

/** Where evaluations are kept, for ninety days. Both members reject with StoreUnavailable when the store does not answer. */
export interface EvaluationStore {
  /** The first that is written under an id stays. */
  put(evaluation: Evaluation): Promise<void>;
  read(id: string): Promise<Evaluation | undefined>;
}
