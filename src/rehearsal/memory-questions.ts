import type { Answer, Consent } from "../../packages/sdk/src/wire/questions.ts";
import type { AnswerResult, AnswerWrite, QuestionStore } from "../approvals/question-store.ts";
import type { Clock } from "../core/clock.ts";
import { nextHead, parseRecord } from "../core/journal.ts";
import type { MemoryRunState } from "./memory-run-journal.ts";

/** The questions of the runs in memory, with what `answer.lua` does; passes the same contract suite as those in Redis. */
export function createMemoryQuestions(clock: Pick<Clock, "now">, state: MemoryRunState): QuestionStore {
  const consentsOf = (id: string): readonly Consent[] => state.consents.get(id) ?? [];

  const refusalOf = ({ question, runId, head, consents, mode, request }: AnswerWrite): AnswerResult | undefined => {
    const { id, expiresAt } = question;
    if (state.asked.get(id)?.runId !== runId) return "not_found";
    const earlier = state.answers.get(id);
    if (earlier !== undefined) return `already:${JSON.stringify(earlier)}`;
    const now = clock.now();
    if (expiresAt !== undefined && expiresAt < now) return "expired";
    const row = state.rows.get(runId);
    // A stop that the worker has not seen yet comes before any answer.
    if (row === undefined || row.state === "ended" || (row.notices.stop !== undefined && row.woken)) {
      state.questions.delete(id);
      return "over";
    }
    if (row.leaseUntil > now) return "busy";
    // The worker continued without an answer, or asks another question now.
    if (row.question !== undefined && row.question !== id) return "over";
    if (mode !== "alone") {
      if (consentsOf(id).some(({ by }) => by === request.by)) return "counted";
      if (consentsOf(id).length !== consents.length) return "conflict";
    }
    return mode !== "consent" && row.head !== head ? "conflict" : undefined;
  };

  return {
    async read(id) {
      const question = state.asked.get(id);
      if (question === undefined) return undefined;
      const answer = state.answers.get(id);
      const consents = consentsOf(id);
      const missing = answer === undefined ? Math.max(1, (question.of ?? 1) - consents.length) : 0;
      return { question, runId: question.runId, consents, missing, ...(answer !== undefined && { answer }) };
    },
    standing: async ({ id, runId }, withConsents) => ({
      head: state.rows.get(runId)?.head ?? "",
      consents: withConsents ? consentsOf(id) : [],
    }),
    async record(write) {
      const refusal = refusalOf(write);
      if (refusal !== undefined) return refusal;
      const { question, runId, request, consents, mode } = write;
      const consent: Consent = { by: request.by, reason: request.reason, at: request.at };
      if (mode === "consent") {
        state.consents.set(question.id, [...consentsOf(question.id), consent]);
        return "recorded";
      }
      const row = state.rows.get(runId);
      if (row === undefined) return "over";
      const answer: Answer = { answer: request.answer, ...consent, ...(consents.length > 0 && { consents }) };
      const text = JSON.stringify({ at: request.at, kind: "answered", questionId: question.id, answer });
      state.answers.set(question.id, answer);
      state.questions.delete(question.id);
      row.head = nextHead(row.head, text);
      row.journal = [...row.journal, ...parseRecord(text)];
      row.woken = true;
      row.stalls = 0;
      return "ok";
    },
  };
}
