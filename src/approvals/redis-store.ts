import type { Redis } from "ioredis";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Answer, AskedQuestion, Consent } from "../../packages/sdk/src/wire/questions.ts";
import { chainText } from "../core/chain.ts";
import type { Clock } from "../core/clock.ts";
import type { Page } from "../core/page.ts";
import { parseAnswer, parseConsent, parseQuestion } from "../core/question.ts";
import type { WakeQueue } from "../core/wake-queue.ts";
import { available } from "../platform/redis/available.ts";
import { pageOf } from "../platform/redis/page-of.ts";
import { isId, runKeys } from "../platform/redis/run-keys.ts";
import { createAnswering } from "./answer-question.ts";
import type { ApprovalService } from "./approval-service.ts";
import type { AnswerResult, QuestionStore, StoredQuestion } from "./question-store.ts";
import { createQuestionLinks } from "./redis-question-links.ts";
import { questionScripts } from "./redis-scripts.ts";

const retentionDays = 30;

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
  const read = async (id: string): Promise<StoredQuestion | undefined> => {
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
  const store = createQuestionStore(redis, clock);
  const answer = createAnswering({ store, wakeQueue, clock, tryLink: async (question, token) => links.try(question, token) });
  return { ...createQuestionReader(redis, clock), answer: async (id, request) => available(async () => answer(id, request)) };
}

/** Questions and answers as they are stored in Redis. */
export function createQuestionStore(redis: Redis, clock: Pick<Clock, "now">): QuestionStore {
  const { read, consentsOf } = readingQuestions(redis, clock);
  return {
    read: async (id) => (isId(id) ? read(id) : undefined),
    async standing({ id, runId }, withConsents) {
      const [head, consents] = await Promise.all([redis.hget(runKeys.run(runId), "head"), withConsents ? consentsOf(id) : []]);
      return { head: head ?? "", consents };
    },
    async record({ question, runId, request, head, consents, mode }) {
      const { id } = question;
      const consent: Consent = { by: request.by, reason: request.reason, at: request.at };
      const answer: Answer = { answer: request.answer, ...consent, ...(consents.length > 0 && { consents }) };
      const entry: JournalEntry = { at: request.at, kind: "answered", questionId: id, answer };
      const next = chainText(head, JSON.stringify(entry));
      const reply = await questionScripts.answer.run(redis, {
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
      return resultOf(String(reply));
    },
  };
}

function resultOf(text: string): AnswerResult {
  const reply = replies.find((one) => one === text);
  if (reply !== undefined) return reply;
  if (text.startsWith("already:")) return `already:${text.slice("already:".length)}`;
  throw new Error(`answer.lua replied ${text}, which is no reply to an answer.`);
}

const replies = ["ok", "recorded", "counted", "expired", "over", "conflict", "not_found", "busy"] as const;
