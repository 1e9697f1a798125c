import type { Redis } from "ioredis";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Answer, AskedQuestion, Consent, Question } from "../../packages/sdk/src/wire/questions.ts";
import { chainText } from "../core/chain.ts";
import type { Clock } from "../core/clock.ts";
import type { Page } from "../core/page.ts";
import { parseAnswer, parseConsent, parseQuestion } from "../core/question.ts";
import type { Role } from "../core/role.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import type { WakeQueue } from "../core/wake-queue.ts";
import { available } from "../platform/redis/available.ts";
import { pageOf } from "../platform/redis/page-of.ts";
import { isId, runKeys } from "../platform/redis/run-keys.ts";
import type { AnswerRequest, AnswerResult, ApprovalService } from "./approval-service.ts";
import { createQuestionLinks } from "./redis-question-links.ts";
import { questionScripts } from "./redis-scripts.ts";

/** An answer and a worker's last write may meet; reading again settles it. */
const tries = 20;
const busyWaitMs = 50;
/** Consents of others move the count; each of them is one more reading. */
const consentTries = 200;
const retentionDays = 30;

interface GivenAnswer {
  readonly question: Question;
  readonly runId: string;
  readonly request: AnswerRequest;
}

/** One page of answered questions, the last answer first. Undefined: the cursor is none of ours. */
export type AnsweredQuestions = (page: { readonly cursor?: string; readonly limit: number }) => Promise<Page<AskedQuestion> | undefined>;

type QuestionReader = Pick<ApprovalService, "list" | "find">;

/** Questions to people, over Redis; reads only. */
export function createQuestionReader(redis: Redis, clock: Pick<Clock, "now">): QuestionReader {
  const { list, find } = readingQuestions(redis, clock);
  return { list: async () => available(list), find: async (id) => available(async () => find(id)) };
}

/** Answered questions of the last 30 days, over Redis; reads only. */
export function createAnsweredQuestions(redis: Redis, clock: Pick<Clock, "now">): AnsweredQuestions {
  const { find } = readingQuestions(redis, clock);
  return async ({ cursor, limit }) => available(async () => pageOf(redis, { source: runKeys.answeredQuestions, cursor, limit }, find));
}

function readingQuestions(redis: Redis, clock: Pick<Clock, "now">) {
  const read = async (id: string): Promise<(AskedQuestion & { readonly runId: string }) | undefined> => {
    const [[text, runId, answered], consents] = await Promise.all([
      redis.hmget(runKeys.question(id), "question", "run", "answer"),
      consentsOf(id),
    ]);
    if (typeof text !== "string" || typeof runId !== "string") return undefined;
    const question = parseQuestion(text);
    const answer = typeof answered === "string" ? parseAnswer(answered) : undefined;
    const missing = answer === undefined ? Math.max(1, (question.of ?? 1) - consents.length) : 0;
    return { question, runId, consents, missing, ...(answer !== undefined && { answer }) };
  };

  const consentsOf = async (id: string): Promise<readonly Consent[]> =>
    Object.values(await redis.hgetall(runKeys.consents(id)))
      .map((text) => parseConsent(text))
      .sort((a, b) => a.at - b.at);

  const find = async (id: string): Promise<AskedQuestion | undefined> => {
    const asked = isId(id) ? await read(id) : undefined;
    if (asked === undefined) return undefined;
    const { runId: _runId, ...askedQuestion } = asked;
    return askedQuestion;
  };

  const list = async (): Promise<readonly AskedQuestion[]> => {
    const ids = await redis.zrange(runKeys.questions, "0", "-1");
    const questions = await Promise.all(ids.map(find));
    return questions.flatMap((asked) =>
      asked === undefined || asked.answer !== undefined || (asked.question.expiresAt ?? Infinity) < clock.now() ? [] : [asked],
    );
  };

  return { read, consentsOf, find, list };
}

/** Every question to a person, over Redis. The script decides races: exactly one answer wins. */
export function createApprovalService(redis: Redis, wakeQueue: WakeQueue, clock: Clock): ApprovalService {
  const links = createQuestionLinks(redis, () => clock.now());
  const { read, consentsOf } = readingQuestions(redis, clock);

  const send = async ({ question, runId, request }: GivenAnswer, consents: readonly Consent[], head: string): Promise<string> => {
    const { id } = question;
    const consent: Consent = { by: request.by, reason: request.reason, at: request.at };
    const answer: Answer = { answer: request.answer, ...consent, ...(consents.length > 0 && { consents }) };
    const entry: JournalEntry = { at: request.at, kind: "answered", questionId: id, answer };
    const next = chainText(head, JSON.stringify(entry));
    const mode = !needsMany(question, request) ? "alone" : consents.length + 1 >= (question.of ?? 1) ? "decide" : "consent";
    const result = await questionScripts.answer.run(redis, {
      keys: {
        question: runKeys.question(id),
        run: runKeys.run(runId),
        journal: runKeys.journal(runId),
        due: runKeys.due,
        openQuestions: runKeys.questions,
        consents: runKeys.consents(id),
        answeredQuestions: runKeys.answeredQuestions,
        feed: runKeys.feed,
      },
      args: {
        runId,
        questionId: id,
        expectedHead: head,
        newHead: next.head,
        entry: next.text,
        expiresAt: question.expiresAt ?? "",
        answer: JSON.stringify(mode === "consent" ? consent : answer),
        mode,
        by: request.by,
        expectedConsents: consents.length,
        retentionDays: retentionDays,
      },
    });
    return String(result);
  };

  const decide = async (given: GivenAnswer): Promise<AnswerResult> => {
    const { question, runId, request } = given;
    let busy = 0;
    for (let attempt = 0; busy < tries && attempt < consentTries; attempt += 1) {
      const [head, consents] = await Promise.all([
        redis.hget(runKeys.run(runId), "head"),
        needsMany(question, request) ? consentsOf(question.id) : [],
      ]);
      const result = await send(given, consents, head ?? "");
      if (result === "ok") {
        wakeQueue.enqueue(runId);
        return { kind: "ok", runId };
      }
      if (result.startsWith("already:")) return { kind: "already", answer: parseAnswer(result.slice("already:".length)) };
      switch (result) {
        case "recorded":
          return { kind: "recorded", runId, missing: Math.max(1, (question.of ?? 1) - consents.length - 1) };
        case "counted":
          return { kind: "recorded", runId, missing: Math.max(1, (question.of ?? 1) - consents.length) };
        case "expired":
        case "not_found":
          return { kind: result };
        case "over":
          return { kind: "over", reason: "The run was stopped, has ended or went on without this answer." };
        case "conflict":
          break;
        default:
          busy += 1;
          await clock.sleep(busyWaitMs);
      }
    }
    throw new StoreUnavailable(new Error(`Run ${runId} was busy again and again.`));
  };

  return {
    ...createQuestionReader(redis, clock),
    answer: async (id, request) => available(async () => answer(id, request)),
  };

  async function answer(id: string, request: AnswerRequest): Promise<AnswerResult> {
    const asked = isId(id) ? await read(id) : undefined;
    if (asked === undefined) return { kind: "not_found" };
    const { question } = asked;
    const refusal = mayNot(request, question);
    if (refusal !== undefined) return { kind: "not_permitted", reason: refusal };
    if (request.link !== undefined) {
      const linkCheck = await links.try(question, request.link);
      if (!linkCheck.right) return { kind: "wrong_link", remainingTries: linkCheck.remainingTries };
    }
    if (asked.answer !== undefined) return { kind: "already", answer: asked.answer };
    if (!question.answers.includes(request.answer)) return { kind: "unknown_answer", answers: question.answers };
    if (question.planSha !== undefined && request.planSha !== question.planSha) return { kind: "plan_changed" };
    return decide({ question, runId: asked.runId, request });
  }
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
