import { describe, expect, it } from "@jest/globals";
import type { AskedQuestion } from "../../../packages/sdk/src/wire/questions.ts";
import { anApproval } from "../../../test/builders/every-entry.ts";
import { sendAnswer } from "./send-answer.ts";

const given = { questionId: "q_1", answer: "approve", reason: "burn is low", planSha: "a".repeat(64), by: "ann" };
const open: AskedQuestion = { question: anApproval, consents: [], missing: 1 };
const byAnn: AskedQuestion = { ...open, missing: 0, answer: { answer: "approve", by: "ann", reason: "burn is low", at: 1 } };
const byBen: AskedQuestion = { ...open, missing: 0, answer: { answer: "reject", by: "ben", reason: "no", at: 1 } };
const agreed: AskedQuestion = { ...open, consents: [{ by: "ann", reason: "burn is low", at: 1 }] };

function aServer(respond: () => Response) {
  const sent: string[] = [];
  const clock = { now: () => 0, after: () => () => {} };
  const fetch = async (_url: unknown, init?: RequestInit) => {
    sent.push(typeof init?.body === "string" ? init.body : "");
    return respond();
  };
  return { sent, requests: { clock, fetch, onSignedOut: () => {} } };
}

const problem = (status: number, name: string) => () =>
  new Response(JSON.stringify({ type: `urn:problem-type:runbookd:${name}`, status, detail: "Because." }), { status });
const lost = () => {
  throw new TypeError("network");
};

describe("an answer", () => {
  it.each([
    ["is taken", () => new Response(JSON.stringify({ runId: "run_1" }), { status: 202 }), open, "recorded"],
    ["is lost on the way back and was recorded", lost, byAnn, "recorded"],
    ["is lost on the way back and is one of several approvals", lost, agreed, "recorded"],
    ["is lost on the way", lost, open, "failed"],
    ["meets a store that wrote and did not reply", problem(503, "unavailable"), byAnn, "recorded"],
    ["meets a store that is away", problem(503, "unavailable"), undefined, "failed"],
    ["was sent from another tab before", problem(409, "already-answered"), byAnn, "recorded"],
    ["comes after another one", problem(409, "already-answered"), byBen, "answered"],
    ["is for a plan that changed", problem(409, "plan-changed"), open, "plan_changed"],
    ["comes too late", problem(410, "expired"), open, "failed"],
    ["meets a session that has ended", problem(401, "unauthenticated"), open, "failed"],
  ])("that %s is sent once, and ends as it should", async (_what, respond, now, expected) => {
    const { sent, requests } = aServer(respond);
    const outcome = await sendAnswer(requests, given, async () => now);
    expect(outcome.kind).toBe(expected);
    expect(sent).toEqual([JSON.stringify({ answer: "approve", reason: "burn is low", planSha: given.planSha })]);
  });
});
