import { describe, expect, it } from "@jest/globals";
import type { AskedQuestion, Question } from "../../packages/sdk/src/wire/questions.ts";
import type { AnswerRequest, AnswerResult, ApprovalService } from "./approval-service.ts";
import { groupedApprovals } from "./grouped-approvals.ts";

function aQuestion(number: number, change: Partial<Question> = {}): Question {
  const target = `budget/b${number}`;
  return {
    id: `q_${number}`,
    runId: `run_${number}`,
    runbookId: "cost",
    stepId: "resume",
    kind: "approve",
    text: "storm: 51 episodes began within five minutes.",
    answers: ["approve", "reject"],
    planSha: String(number).repeat(64),
    plan: {
      summary: `Open ${target}`,
      targets: [target],
      changes: [{ target, field: "gate", before: "paused", after: "open" }],
      reversible: true,
      data: null,
    },
    askedAt: number,
    expiresAt: 1000 - number,
    role: "approver",
    group: "storm",
    ...change,
  };
}

/** A desk of open questions that answers what it is told to. */
function aDesk(questions: readonly Question[], replies: { readonly [id: string]: AnswerResult } = {}) {
  const open = [...questions];
  const given: (AnswerRequest & { id: string })[] = [];
  const desk: ApprovalService = {
    list: async () => open.map((question): AskedQuestion => ({ question, consents: [], missing: 1 })),
    find: async (id) => (await desk.list()).find(({ question }) => question.id === id),
    async answer(id, request) {
      given.push({ id, ...request });
      return replies[id] ?? { kind: "ok", runId: open.find((question) => question.id === id)?.runId ?? "" };
    },
  };
  return { desk: groupedApprovals(desk), given, open };
}

const request = { answer: "approve", reason: "looked", by: "ann", role: "approver", at: 5 } as const;
const other = aQuestion(7, { text: "Another matter." });
const { group: _group, ...alone } = other;

describe("questions of one group", () => {
  it("show what only the action of each run reads", async () => {
    const withData = aQuestion(1, { plan: { summary: "Run", targets: ["a"], changes: [], reversible: false, data: { argv: ["--all"] } } });
    const [asked] = await aDesk([withData, aQuestion(2)]).desk.list();
    expect(asked?.question.plan?.data).toEqual([
      { runId: "run_1", summary: "Run", data: { argv: ["--all"] } },
      { runId: "run_2", summary: "Open budget/b2", data: null },
    ]);
  });

  it("are one question that lists every target and change, beside those that stand alone", async () => {
    const { desk } = aDesk([aQuestion(1), alone, aQuestion(2)]);
    const listed = await desk.list();
    expect(listed.map(({ question }) => question.id)).toEqual(["group_storm", "q_7"]);
    expect(listed[0]?.question).toMatchObject({
      text: "storm: one decision for 2 runs on budget/b1, budget/b2",
      plan: { targets: ["budget/b1", "budget/b2"], changes: [{ target: "budget/b1" }, { target: "budget/b2" }] },
      expiresAt: 998,
    });
    expect((await desk.find("group_storm"))?.question.planSha).toBe(listed[0]?.question.planSha);
    expect((await desk.find("q_2"))?.question.id).toBe("q_2");
  });

  it("are answered together, each for exactly its own plan", async () => {
    const { desk, given } = aDesk([aQuestion(1), alone, aQuestion(2)]);
    const planSha = (await desk.find("group_storm"))?.question.planSha ?? "";
    expect(await desk.answer("group_storm", { ...request, planSha })).toEqual({ kind: "ok", runId: "run_1", runIds: ["run_1", "run_2"] });
    expect(given.map(({ id, planSha: sha, by }) => [id, sha, by])).toEqual([
      ["q_1", "1".repeat(64), "ann"],
      ["q_2", "2".repeat(64), "ann"],
    ]);
  });

  it("are not answered when another has come since they were read, or when no plan is named", async () => {
    const { desk, given, open } = aDesk([aQuestion(1)]);
    const planSha = (await desk.find("group_storm"))?.question.planSha ?? "";
    open.push(aQuestion(2));
    expect(await desk.answer("group_storm", { ...request, planSha })).toEqual({ kind: "plan_changed" });
    expect(await desk.answer("group_storm", request)).toEqual({ kind: "plan_changed" });
    expect(given).toEqual([]);
  });

  it("are answered as far as they can be", async () => {
    const { desk } = aDesk([aQuestion(1), aQuestion(2)], { q_1: { kind: "expired" } });
    const planSha = (await desk.find("group_storm"))?.question.planSha ?? "";
    expect(await desk.answer("group_storm", { ...request, planSha })).toEqual({ kind: "ok", runId: "run_2", runIds: ["run_2"] });
    const none = aDesk([aQuestion(1)], { q_1: { kind: "not_permitted", reason: "no" } });
    const sha = (await none.desk.find("group_storm"))?.question.planSha ?? "";
    expect(await none.desk.answer("group_storm", { ...request, planSha: sha })).toEqual({ kind: "not_permitted", reason: "no" });
  });

  it("are gone when nothing waits", async () => {
    const { desk } = aDesk([]);
    expect(await desk.find("group_storm")).toBeUndefined();
    expect(await desk.answer("group_storm", request)).toEqual({ kind: "not_found" });
  });
});
