import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { Clock } from "../core/clock.ts";
import { parseAnswer } from "../core/question.ts";
import type { Role } from "../core/role.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import type { WakeQueue } from "../core/wake-queue.ts";
import type { AnswerRequest, AnswerResult, ApprovalService } from "./approval-service.ts";
import type { AnswerWrite, QuestionStore } from "./question-store.ts";

/** An answer and a worker's last write may meet; reading again settles it. */
const tries = 20;
const busyWaitMs = 50;
/** Consents of others move the count; each of them is one more reading. */
const consentTries = 200;

/** What answers are judged with. */
export interface AnswerDeps {
  readonly store: QuestionStore;
  readonly wakeQueue: WakeQueue;
  readonly clock: Pick<Clock, "sleep">;
  /** Tries the token of a mailed link. */
  readonly tryLink: (
    question: Question,
    token: string,
  ) => Promise<{ readonly right: true } | { readonly right: false; readonly remainingTries: number }>;
}

/** Answers questions by the rules: who may answer, which answers there are, and how many people must consent. The store decides races. */
export function createAnswering(deps: AnswerDeps): ApprovalService["answer"] {
  return async (id, request) => {
    const asked = await deps.store.read(id);
    if (asked === undefined) return { kind: "not_found" };
    const { question } = asked;
    const refusal = mayNot(request, question);
    if (refusal !== undefined) return { kind: "not_permitted", reason: refusal };
    if (request.link !== undefined) {
      const linkCheck = await deps.tryLink(question, request.link);
      if (!linkCheck.right) return { kind: "wrong_link", remainingTries: linkCheck.remainingTries };
    }
    if (asked.answer !== undefined) return { kind: "already", answer: asked.answer };
    if (!question.answers.includes(request.answer)) return { kind: "unknown_answer", answers: question.answers };
    if (question.planSha !== undefined && request.planSha !== question.planSha) return { kind: "plan_changed" };
    return decide(deps, { question, runId: asked.runId, request });
  };
}

async function decide(
  { store, wakeQueue, clock }: AnswerDeps,
  given: Pick<AnswerWrite, "question" | "runId" | "request">,
): Promise<AnswerResult> {
  const { question, runId, request } = given;
  const needed = question.of ?? 1;
  const isMany = needsMany(question, request);
  let busy = 0;
  for (let attempt = 0; busy < tries && attempt < consentTries; attempt += 1) {
    const { head, consents } = await store.standing({ id: question.id, runId }, isMany);
    const mode = !isMany ? "alone" : consents.length + 1 >= needed ? "decide" : "consent";
    const reply = await store.record({ ...given, head, consents, mode });
    switch (reply) {
      case "ok":
        wakeQueue.enqueue(runId);
        return { kind: "ok", runId };
      case "recorded":
        return { kind: "recorded", runId, missing: Math.max(1, needed - consents.length - 1) };
      case "counted":
        return { kind: "recorded", runId, missing: Math.max(1, needed - consents.length) };
      case "expired":
      case "not_found":
        return { kind: reply };
      case "over":
        return { kind: "over", reason: "The run was stopped, has ended or went on without this answer." };
      case "conflict":
        break;
      case "busy":
        busy += 1;
        await clock.sleep(busyWaitMs);
        break;
      default:
        return { kind: "already", answer: parseAnswer(reply.slice("already:".length)) };
    }
  }
  throw new StoreUnavailable(new Error(`Run ${runId} was busy again and again.`));
}

/** Only consent is counted: whoever says no, or answers another kind of question, decides alone. */
function needsMany(question: Question, request: AnswerRequest): boolean {
  return question.kind === "approve" && request.answer === "approve" && (question.of ?? 1) > 1;
}

/** Why this person may not give this answer. */
function mayNot({ role, by, answer }: AnswerRequest, question: Question): string | undefined {
  if (!hasRole(role, question)) return `This question is for the role ${question.role}; ${by} has the role ${role}.`;
  if (question.kind === "approve" && answer === "approve" && by === question.requester) {
    return `${by} started this run; somebody else must approve it.`;
  }
  return undefined;
}

function hasRole(role: Role, question: Question): boolean {
  return role === "admin" || role === "approver" || (role === "operator" && question.role === "operator");
}
