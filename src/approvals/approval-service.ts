import type { Answer, AskedQuestion } from "../../packages/sdk/src/wire/questions.ts";
import type { Instant } from "../core/clock.ts";
import type { Role } from "../core/role.ts";

/** What a person answers. */
export interface AnswerRequest {
  readonly answer: string;
  readonly reason: string;
  /** The plan that the person saw; must equal the question's when it has one. */
  readonly planSha?: string;
  readonly by: string;
  readonly role: Role;
  readonly at: Instant;
  /** The token of a mailed link: must be one of this question's, for this step and this plan. */
  readonly link?: string;
}

/**
 * `recorded`: counted, and `missing` more people must approve. `over`: the run does not wait for this any more.
 * `unknown_answer`: not among the question's permitted answers. `wrong_link`: `left` more tries, then the link is locked.
 */
export type AnswerResult =
  /** `runIds`: all that go on, when the question stood for several. */
  | { readonly kind: "ok"; readonly runId: string; readonly runIds?: readonly string[] }
  | { readonly kind: "recorded"; readonly runId: string; readonly missing: number }
  | { readonly kind: "already"; readonly answer: Answer }
  | { readonly kind: "over"; readonly reason: string }
  | { readonly kind: "wrong_link"; readonly remainingTries: number }
  | { readonly kind: "plan_changed" }
  | { readonly kind: "expired" }
  | { readonly kind: "not_permitted"; readonly reason: string }
  | { readonly kind: "unknown_answer"; readonly answers: readonly string[] }
  | { readonly kind: "not_found" };

/** Every question to a person. */
export interface ApprovalService {
  /** Open questions, oldest first. */
  list(): Promise<readonly AskedQuestion[]>;
  /** One question, open or not. */
  find(id: string): Promise<AskedQuestion | undefined>;
  answer(id: string, answer: AnswerRequest): Promise<AnswerResult>;
}
