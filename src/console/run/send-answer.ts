import type { AskedQuestion } from "../../../packages/sdk/src/wire/questions.ts";
import type { Requests } from "../resource.ts";
import { sendChange } from "../send-change.ts";

/** An answer of a person who is signed in. */
export interface GivenAnswer {
  readonly questionId: string;
  readonly answer: string;
  readonly reason: string;
  /** The plan that the person read. */
  readonly planSha?: string | undefined;
  readonly by: string;
}

/**
 * What became of it. `recorded`: the server has it. `answered`: another answer came first. `plan_changed`: nothing was recorded, and the new plan
 * must be read. `failed`: nothing is recorded as far as the server says, so the same answer can be sent again.
 */
export type AnswerOutcome =
  | { readonly kind: "recorded" }
  | { readonly kind: "answered" }
  | { readonly kind: "plan_changed" }
  | { readonly kind: "failed"; readonly detail: string };

/** Sends an answer. When no reply comes back the question is read again, so that an answer that arrived is not sent a second time. */
export async function sendAnswer(
  requests: Requests,
  given: GivenAnswer,
  read: () => Promise<AskedQuestion | undefined>,
): Promise<AnswerOutcome> {
  const { questionId, answer, reason, planSha } = given;
  const body = { answer, reason, ...(planSha !== undefined && { planSha }) };
  const result = await sendChange(requests, { method: "POST", path: `/api/approvals/${encodeURIComponent(questionId)}`, body });
  if (result.kind === "done") return { kind: "recorded" };
  if (result.kind === "refused") {
    if (result.problem === "plan-changed") return { kind: "plan_changed" };
    if (result.problem !== "already-answered") return { kind: "failed", detail: result.detail };
  }
  const now = await read();
  if (now !== undefined && hasArrived(now, given)) return { kind: "recorded" };
  if (result.kind === "refused" || now?.answer !== undefined) return { kind: "answered" };
  const state = now === undefined ? "Whether your answer arrived is not known." : "Your answer did not arrive.";
  return { kind: "failed", detail: `${result.detail} ${state} You can send it again: it is recorded once.` };
}

/** Whether the server has this answer of this person. */
function hasArrived({ answer, consents }: AskedQuestion, given: Pick<GivenAnswer, "answer" | "by">): boolean {
  const isDecided = answer !== undefined && answer.answer === given.answer && answer.by === given.by;
  return isDecided || (given.answer === "approve" && [...consents, ...(answer?.consents ?? [])].some(({ by }) => by === given.by));
}
