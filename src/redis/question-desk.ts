import type { Redis } from "ioredis";
import type { Instant } from "../core/clock.ts";
import { type JournalEntry, nextHead } from "../core/journal.ts";
import { type Answer, parseAnswer, parseQuestion, type Question } from "../core/question.ts";
import type { Role } from "../core/role.ts";
import type { AnswerReply, AnswerRequest, AskedQuestion, QuestionDesk } from "../http/ports.ts";
import { type Doorbell, StoreUnavailable } from "../intake/ports.ts";
import { available } from "./available.ts";
import { isId, runKeys } from "./run-keys.ts";
import { loadScript } from "./script.ts";

/** An answer and a worker's last write may meet; reading again settles it. */
const tries = 20;

/** Every question to a person, over Redis. The script decides races: exactly one answer wins. */
export function createQuestionDesk(redis: Redis, doorbell: Doorbell, now: () => Instant): QuestionDesk {
  const script = loadScript("answer");
  const read = async (id: string): Promise<{ question: Question; runId: string; answer?: Answer } | undefined> => {
    const [text, runId] = await redis.hmget(runKeys.question(id), "question", "run");
    if (typeof text !== "string" || typeof runId !== "string") return undefined;
    const answer = await redis.hget(runKeys.question(id), "answer");
    return { question: parseQuestion(text), runId, ...(answer !== null && { answer: parseAnswer(answer) }) };
  };

  const decide = async (id: string, question: Question, runId: string, request: AnswerRequest): Promise<AnswerReply> => {
    const answer: Answer = { answer: request.answer, by: request.by, reason: request.reason, at: request.at };
    const entry: JournalEntry = { at: request.at, kind: "answered", questionId: id, answer };
    const text = JSON.stringify(entry);
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const head = (await redis.hget(runKeys.run(runId), "head")) ?? "";
      const reply = String(
        await script.run(
          redis,
          [runKeys.question(id), runKeys.run(runId), runKeys.journal(runId), runKeys.due, runKeys.questions],
          [runId, id, head, nextHead(head, text), text, question.expiresAt ?? "", JSON.stringify(answer)],
        ),
      );
      if (reply === "ok") {
        doorbell.ring(runId);
        return { kind: "ok", runId };
      }
      if (reply.startsWith("already:")) return { kind: "already", answer: parseAnswer(reply.slice("already:".length)) };
      if (reply === "expired" || reply === "not_found") return { kind: reply };
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new StoreUnavailable(new Error(`Run ${runId} was busy ${tries} times.`));
  };

  return {
    list: async () => available(list),
    answer: async (id, request) => available(async () => answer(id, request)),
  };

  async function list(): Promise<readonly AskedQuestion[]> {
    const ids = await redis.zrange(runKeys.questions, "0", "-1");
    const found = await Promise.all(ids.map(read));
    return found.flatMap((asked) =>
      asked === undefined || asked.answer !== undefined || (asked.question.expiresAt ?? Infinity) < now()
        ? []
        : [{ question: asked.question }],
    );
  }

  async function answer(id: string, request: AnswerRequest): Promise<AnswerReply> {
    if (!isId(id)) return { kind: "not_found" };
    const asked = await read(id);
    if (asked === undefined) return { kind: "not_found" };
    const { question } = asked;
    if (asked.answer !== undefined) return { kind: "already", answer: asked.answer };
    if (!question.answers.includes(request.answer)) return { kind: "unknown_answer", answers: question.answers };
    if (!mayAnswer(request.role, question)) {
      return {
        kind: "not_permitted",
        reason: `This question is for the role ${question.role}; ${request.by} has the role ${request.role}.`,
      };
    }
    if (question.planSha !== undefined && request.planSha !== question.planSha) return { kind: "plan_changed" };
    return decide(id, question, asked.runId, request);
  }
}

function mayAnswer(role: Role, question: Question): boolean {
  return role === "admin" || role === "approver" || (role === "operator" && question.role === "operator");
}
