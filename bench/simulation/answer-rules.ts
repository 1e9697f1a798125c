import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { Instant } from "../../src/core/clock.ts";
import type { Violation } from "./violation.ts";
import type { SentAnswer } from "./world.ts";

/** A journal, and when the store wrote each of its entries, by its own clock. */
export interface WrittenJournal {
  readonly id: string;
  readonly entries: readonly JournalEntry[];
  readonly storeTimes: readonly Instant[];
}

/** What is wrong with the answers in the journal of a run, by the answers that people have really sent. */
export function judgeAnswers({ id, entries, storeTimes }: WrittenJournal, sent: readonly SentAnswer[]): readonly Violation[] {
  const questions = new Map<string, Question>();
  const answered = new Set<string>();
  return entries.flatMap((entry, index) => {
    if (entry.kind === "asked") questions.set(entry.question.id, entry.question);
    if (entry.kind !== "answered") return [];
    const { questionId, answer } = entry;
    const about = `${answer.answer} to ${questionId} of ${id}`;
    const question = questions.get(questionId);
    const again = answered.has(questionId);
    answered.add(questionId);
    if (question === undefined) return [{ rule: "answer", what: `${about} answers no question of the run` }];
    const names = [answer.by, ...(answer.consents ?? []).map(({ by }) => by)];
    const isApproval = question.kind === "approve" && answer.answer === "approve";
    const unable = names.filter((by) => !sent.some((one) => by === one.by && isAble(one, question, answer.answer)));
    const needed = isApproval ? (question.of ?? 1) : 1;
    return [
      ...(again ? [{ rule: "answer", what: `${about} comes after another answer` }] : []),
      ...((storeTimes[index] ?? 0) > (question.expiresAt ?? Number.POSITIVE_INFINITY)
        ? [{ rule: "late", what: `${about} was recorded after the time of the question was over` }]
        : []),
      ...unable.map((by) => ({ rule: "authority", what: `${about} is by ${by}, who had not the role or has not said so` })),
      ...(new Set(names).size < needed ? [{ rule: "authority", what: `${about} needs ${needed} people and has ${names.join(", ")}` }] : []),
      ...(isApproval && names.includes(question.requester ?? " ")
        ? [{ rule: "authority", what: `${about} is by the person who asked for the run` }]
        : []),
    ];
  });
}

function isAble({ questionId, answer, role }: SentAnswer, question: Question, text: string): boolean {
  const hasRole = role === "approver" || role === "admin" || (role === "operator" && question.role === "operator");
  return questionId === question.id && answer === text && hasRole;
}
