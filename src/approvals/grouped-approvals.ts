import type { AskedQuestion, Question } from "../../packages/sdk/src/wire/questions.ts";
import { sha256 } from "../core/json.ts";
import { groupQuestionId } from "../core/question.ts";
import type { AnswerRequest, AnswerResult, ApprovalService } from "./approval-service.ts";

/**
 * Puts questions that are asked for one reason to people as one question, which lists every target: in a storm fifty runs ask fifty times, and a
 * person decides once. Each run's own question stays, bound to its own plan; the answer to all is for exactly the plans that were read, so that
 * one that comes later makes the answer outdated and not wider.
 */
export function groupedApprovals(approvalService: ApprovalService): ApprovalService {
  return {
    list: async () => collapse(await approvalService.list()),
    async find(id) {
      const group = groupOf(id);
      return group === undefined ? approvalService.find(id) : collapse(membersOf(await approvalService.list(), group))[0];
    },
    async answer(id, request) {
      const group = groupOf(id);
      return group === undefined ? approvalService.answer(id, request) : answerAll(approvalService, group, request);
    },
  };
}

function groupOf(id: string): string | undefined {
  return id.startsWith(groupQuestionId("")) ? id.slice(groupQuestionId("").length) : undefined;
}

function membersOf(asked: readonly AskedQuestion[], group: string): readonly AskedQuestion[] {
  return asked.filter(({ question }) => question.group === group);
}

function collapse(asked: readonly AskedQuestion[]): readonly AskedQuestion[] {
  const shown = new Set<string>();
  return asked.flatMap((one) => {
    const { group } = one.question;
    if (group === undefined) return [one];
    if (shown.has(group)) return [];
    shown.add(group);
    return [{ question: allInOne(group, membersOf(asked, group)), consents: [], missing: 1 }];
  });
}

function allInOne(group: string, members: readonly AskedQuestion[]): Question {
  const questions = members.map(({ question }) => question);
  const [first] = questions;
  if (first === undefined) throw new Error(`Group ${group} has no question.`);
  const plans = questions.flatMap(({ plan }) => plan ?? []);
  const ends = questions.flatMap(({ expiresAt }) => expiresAt ?? []);
  const { requester: _requester, of: _of, ...fields } = first;
  return {
    ...fields,
    id: groupQuestionId(group),
    text: `${group}: one decision for ${questions.length} run${questions.length === 1 ? "" : "s"} on ${[...new Set(plans.flatMap(({ targets }) => targets))].join(", ")}`,
    planSha: planShaOfAll(questions),
    plan: {
      summary: `${plans.length} changes`,
      targets: [...new Set(plans.flatMap(({ targets }) => targets))],
      changes: plans.flatMap(({ changes }) => changes),
      reversible: plans.every(({ reversible }) => reversible),
      // What only the actions read, such as a command's arguments, decides too.
      data: plans.some(({ data }) => data !== null)
        ? questions.map(({ runId, plan }) => ({ runId, summary: plan?.summary ?? "", data: plan?.data ?? null }))
        : null,
    },
    ...(ends.length > 0 && { expiresAt: Math.min(...ends) }),
  };
}

function planShaOfAll(questions: readonly Question[]): string {
  return sha256(
    questions
      .map(({ id, planSha = "" }) => `${id} ${planSha}`)
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join("\n"),
  );
}

async function answerAll(approvalService: ApprovalService, group: string, request: AnswerRequest): Promise<AnswerResult> {
  const members = membersOf(await approvalService.list(), group).map(({ question }) => question);
  if (members.length === 0) return { kind: "not_found" };
  if (request.planSha !== planShaOfAll(members)) return { kind: "plan_changed" };
  const { link: _link, ...given } = request;
  const results: AnswerResult[] = [];
  for (const { id, planSha } of members)
    results.push(await approvalService.answer(id, { ...given, ...(planSha !== undefined && { planSha }) }));
  const runIds = results.flatMap((result) => (result.kind === "ok" ? [result.runId] : []));
  const [runId] = runIds;
  if (runId !== undefined) return { kind: "ok", runId, runIds };
  return results.find(({ kind }) => kind === "recorded") ?? results[0] ?? { kind: "not_found" };
}
