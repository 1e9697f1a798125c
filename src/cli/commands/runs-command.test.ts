import { expect, it } from "@jest/globals";
import type { RunSummary } from "../../../packages/sdk/src/wire/runs.ts";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

const summary: RunSummary = {
  id: "01K0RUN",
  runbookId: "cost-incident-response",
  runbookSha: "a".repeat(64),
  mode: "auto",
  state: "ended",
  outcome: "succeeded",
  target: "budget/checkout",
  source: "webhook",
  acceptedAt: Date.UTC(2026, 0, 31, 12),
};

it("lists runs as a table with their outcome", async () => {
  const context = aCommandContext({ answers: { "GET /api/runs": { status: 200, body: { items: [summary], nextCursor: "abc" } } } });
  expect(await runCli(["runs", "list", "--state", "ended", "--runbook", "cost-incident-response"], context, "1")).toBe(0);
  expect(context.printed.out).toContain("01K0RUN  cost-incident-response  budget/checkout  succeeded  2026-01-31 12:00:00Z");
  expect(context.printed.out).toContain("More: --cursor abc");
  expect(context.requests[0]?.url).toBe("http://127.0.0.1:9097/api/runs?state=ended&runbook=cost-incident-response&limit=20");
});

it("prints the answer as one JSON document when asked", async () => {
  const context = aCommandContext({ answers: { "GET /api/runs": { status: 200, body: { items: [summary] } } } });
  await runCli(["runs", "list", "--json"], context, "1");
  expect(JSON.parse(context.printed.out)).toEqual({ items: [summary] });
});

it("shows a run's journal line by line and takes control characters out of it", async () => {
  const failure = { reason: "defect", message: "no\u001b[2Jway\nout", applied: "no" };
  const journal = [
    { kind: "accepted", at: 0, runId: "01K0RUN", request: { runbookId: "x", runbookSha: "", mode: "auto", params: {}, source: "webhook" } },
    { kind: "failed", at: 1000, step: "stop", attempt: 1, failure },
    { kind: "postponed", at: 2000, why: "a kind that only a newer server writes" },
  ];
  const context = aCommandContext({ answers: { "GET /api/runs/01K0RUN": { status: 200, body: { summary, journal } } } });
  expect(await runCli(["runs", "show", "01K0RUN"], context, "1")).toBe(0);
  expect(context.printed.out).toMatch(/failed +stop: no \[2Jway out/);
  expect(context.printed.out).toMatch(/postponed +\{"why":"a kind that only a newer server writes"\}/);
});

it("names the step that a run waits at, its question and the command for each answer", async () => {
  const waiting: RunSummary = { ...summary, state: "suspended", step: "Restart the pool", note: "waiting for a person: manual" };
  const { outcome: _none, ...open } = waiting;
  const question = {
    id: "q-01K0Q",
    runId: "01K0RUN",
    runbookId: "x",
    stepId: "restart",
    kind: "manual",
    text: "Restart the pool.",
    askedAt: 0,
    role: "operator",
  };
  const journal = [
    { kind: "accepted", at: 0, runId: "01K0RUN", request: { runbookId: "x", runbookSha: "", mode: "auto", params: {}, source: "webhook" } },
    { kind: "asked", at: 1000, question: { ...question, answers: ["done", "failed", "it's odd"], expiresAt: Date.UTC(2026, 0, 31, 13) } },
  ];
  const answered = { kind: "answered", at: 2000, questionId: "q-01K0Q", answer: { answer: "done", by: "ann", reason: "", at: 2000 } };
  const show = async (record: object) => {
    const context = aCommandContext({
      answers: { "GET /api/runs/01K0RUN": { status: 200, body: record }, "GET /api/runs": { status: 200, body: { items: [open] } } },
    });
    expect(await runCli(["runs", "show", "01K0RUN"], context, "1")).toBe(0);
    expect(await runCli(["runs", "list"], context, "1")).toBe(0);
    return context.printed.out;
  };
  const out = await show({ summary: open, journal });
  expect(out).toContain("suspended  2026-01-31 12:00:00Z  Restart the pool");
  expect(out).toMatch(/step +Restart the pool/);
  expect(out).toContain("Waits for a person until 2026-01-31 13:00:00Z: question q-01K0Q (manual)\n  Restart the pool.\n");
  expect(out).toContain("  runbookd approvals answer q-01K0Q done --reason '…'\n  runbookd approvals answer q-01K0Q failed --reason '…'\n");
  expect(out).toContain(String.raw`  runbookd approvals answer q-01K0Q 'it'\''s odd' --reason '…'`);
  expect(await show({ summary: open, journal: [...journal, answered] })).not.toContain("Waits for a person");
  expect(await show({ summary, journal })).not.toContain("Waits for a person");
});

it("answers 1 with the reason when a run cannot be aborted", async () => {
  const problem = { type: "urn:x", title: "Its state does not permit this", status: 409, detail: "The run has ended." };
  const context = aCommandContext({ answers: { "POST /api/runs/01K0RUN/abort": { status: 409, body: problem } } });
  expect(await runCli(["runs", "abort", "01K0RUN", "--reason", "wrong budget"], context, "1")).toBe(1);
  expect(context.printed.err).toBe("Its state does not permit this (409): The run has ended.\n");
  expect(context.requests[0]?.body).toEqual({ reason: "wrong budget" });
});

it.each(["resume", "rerun"])("can %s a run", async (verb) => {
  const context = aCommandContext({ answers: { [`POST /api/runs/01K0RUN/${verb}`]: { status: 202, body: { runId: "01K0RUN" } } } });
  expect(await runCli(["runs", verb, "01K0RUN"], context, "1")).toBe(0);
  expect(context.printed.out).toContain("01K0RUN");
});

it("asks for the first run's document only with --pinned", async () => {
  const answer = { status: 202, body: { runId: "01K0NEW" } };
  const context = aCommandContext({
    answers: { "POST /api/runs/01K0RUN/rerun": answer, "POST /api/runs/01K0RUN/rerun?document=pinned": answer },
  });
  expect(await runCli(["runs", "rerun", "01K0RUN"], context, "1")).toBe(0);
  expect(await runCli(["runs", "rerun", "01K0RUN", "--pinned"], context, "1")).toBe(0);
  expect(context.requests.map(({ url }) => new URL(url).search)).toEqual(["", "?document=pinned"]);
});

it("escapes an id, so that it names nothing else", async () => {
  const context = aCommandContext();
  await runCli(["runs", "show", "../tokens?x"], context, "1");
  expect(context.requests[0]?.url).toBe("http://127.0.0.1:9097/api/runs/..%2Ftokens%3Fx");
});

it("answers 1 and says where it looked when nobody answers", async () => {
  const context = aCommandContext();
  expect(await runCli(["runs", "list", "--url", "http://127.0.0.1:1"], context, "1")).toBe(1);
  expect(context.printed.err).toContain("No answer from http://127.0.0.1:1: connect ECONNREFUSED");
});

it("answers 2 to a state that does not exist and names those that do", async () => {
  const context = aCommandContext();
  expect(await runCli(["runs", "list", "--state", "asleep"], context, "1")).toBe(2);
  expect(context.printed.err).toContain("queued, running, suspended, in_doubt, damaged, ended");
});
