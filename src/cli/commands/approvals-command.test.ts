import { expect, it } from "@jest/globals";
import type { Question } from "../../../packages/sdk/src/wire/questions.ts";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

const question: Question = {
  id: "q1",
  runId: "01K0RUN",
  runbookId: "cost-incident-response",
  stepId: "resume",
  kind: "approve",
  text: "Resume budget checkout?",
  answers: ["approve", "reject"],
  planSha: "abc",
  about: { target: "budget/checkout", alertName: "Burn", summary: "It burns.", labels: { severity: "critical" } },
  askedAt: 0,
  expiresAt: Date.UTC(2026, 0, 31, 13),
  role: "approver",
};
const open = { "GET /api/approvals": { status: 200, body: { items: [{ question, consents: [], missing: 1 }] } } };

it("lists what waits for a person with the answers it permits", async () => {
  const context = aCommandContext({ answers: open });
  expect(await runCli(["approvals", "list"], context, "1")).toBe(0);
  expect(context.printed.out).toContain(
    "q1        approve  cost-incident-response/resume  approve | reject  -        2026-01-31 13:00:00Z  Resume budget checkout?",
  );
  expect(context.printed.out).toContain('q1: target budget/checkout; alert Burn; severity="critical"; It burns.\n');
});

it("shows how many people must still approve, before and after one has", async () => {
  const context = aCommandContext({
    answers: {
      "GET /api/approvals": { status: 200, body: { items: [{ question: { ...question, of: 2 }, consents: [], missing: 2 }] } },
      "POST /api/approvals/q1": { status: 202, body: { runId: "01K0RUN", missing: 1 } },
    },
  });
  await runCli(["approvals", "list"], context, "1");
  expect(context.printed.out).toContain("approve | reject  2 of 2 ");
  expect(await runCli(["approvals", "answer", "q1", "approve"], context, "1")).toBe(0);
  expect(context.printed.out).toContain("Answered approve. 1 more must approve before run 01K0RUN goes on.");
});

it("answers with the plan that is open now", async () => {
  const context = aCommandContext({ answers: { ...open, "POST /api/approvals/q1": { status: 202, body: { runId: "01K0RUN" } } } });
  expect(await runCli(["approvals", "answer", "q1", "approve", "--reason", "agreed"], context, "1")).toBe(0);
  expect(context.requests[1]?.body).toEqual({ answer: "approve", reason: "agreed", planSha: "abc" });
  expect(context.printed.out).toContain("Resume budget checkout?");
});

it("answers 2 to an answer that the question does not permit, without sending it", async () => {
  const context = aCommandContext({ answers: open });
  expect(await runCli(["approvals", "answer", "q1", "maybe"], context, "1")).toBe(2);
  expect(context.printed.err).toBe("maybe is no answer to q1; accepted: approve, reject\n");
  expect(context.requests).toHaveLength(1);
});

it("answers 1 when the plan has changed", async () => {
  const problem = { type: "urn:x", title: "The plan is not the one that was seen", status: 409, detail: "Read it again." };
  const context = aCommandContext({ answers: { ...open, "POST /api/approvals/q1": { status: 409, body: problem } } });
  expect(await runCli(["approvals", "answer", "q1", "approve", "--plan", "old"], context, "1")).toBe(1);
  expect(context.requests[1]?.body).toMatchObject({ planSha: "old" });
});
