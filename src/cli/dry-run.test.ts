import { expect, it } from "@jest/globals";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import { aCommandContext } from "../../test/builders/command-context.ts";
import { runCli } from "./run-cli.ts";

const request = { runbookId: "cost", runbookSha: "", mode: "observe", params: {}, source: "manual" } as const;
const journal: readonly JournalEntry[] = [
  { kind: "accepted", at: 0, runId: "run_1", request },
  { kind: "checked", at: 1, subject: { kind: "prerequisite", index: 0 }, truth: "true", detail: "value 300" },
  { kind: "applied", at: 2, step: "look", attempt: 1, output: { running: 12 } },
  { kind: "completed", at: 2, step: "look" },
  {
    kind: "refused",
    at: 3,
    step: "pause",
    guardrail: "mode",
    reason: "observe",
    plan: {
      summary: "Close admission of budget checkout",
      targets: ["budget/checkout"],
      changes: [
        { target: "budget/checkout", field: "gate", before: "open", after: "paused" },
        { target: "budget/checkout", field: "pausedUntil", before: null, after: Date.UTC(2026, 0, 5, 12) },
      ],
      reversible: true,
      data: null,
    },
  },
  { kind: "skipped", at: 3, step: "pause", why: "mode: observe" },
  { kind: "skipped", at: 4, step: "call", why: "Mode observe: a person\u001b[2J does this." },
  {
    kind: "intent",
    at: 5,
    step: "post_action_1",
    action: "send-report",
    effect: "keyed",
    attempt: 1,
    group: 1,
    idempotencyKey: "k",
    plan: { summary: "Mail the review", targets: ["mail/default"], changes: [], reversible: false, data: null },
    planSha: "p",
  },
  { kind: "applied", at: 6, step: "post_action_1", attempt: 1, output: {} },
];
const answers = (summary: Record<string, unknown>) => ({
  "POST /api/runs": { status: 202, body: { runId: "run_1" } },
  "GET /api/runs/run_1": {
    status: 200,
    body: { summary: { id: "run_1", ...request, acceptedAt: 0, ...summary }, journal },
  },
});

it("starts an observing run, follows it, and prints before → after and the blast radius", async () => {
  const context = aCommandContext({ answers: answers({ state: "ended", outcome: "stood_down", note: "The plan is recorded." }) });
  expect(await runCli(["run", "cost", "--dry-run"], context, "1")).toBe(0);
  expect(context.requests[0]?.body).toEqual({ runbook: "cost", params: {}, mode: "observe" });
  expect(context.printed.out).toBe(
    [
      "check    prerequisite 1: true now: value 300",
      "read     look: done, as it changes nothing",
      "would    pause: Close admission of budget checkout",
      '           budget/checkout gate: "open" → "paused"',
      "           budget/checkout pausedUntil: null → 2026-01-05 12:00:00Z",
      "skipped  call: Mode observe: a person [2J does this.",
      "told     post_action_1: Mail the review",
      "Blast radius: 1 target (budget/checkout), 1 step would change them.",
      "Nothing was changed. The plan is recorded.",
      "",
    ].join("\n"),
  );
});

it("answers 1 when the run could not see everything, and prints the plan for programs", async () => {
  const context = aCommandContext({ answers: answers({ state: "ended", outcome: "inconclusive", note: "No Prometheus." }) });
  expect(await runCli(["run", "cost", "--dry-run", "--json"], context, "1")).toBe(1);
  expect(JSON.parse(context.printed.out)).toMatchObject({
    runId: "run_1",
    outcome: "inconclusive",
    plan: [
      { kind: "check" },
      { step: "look", kind: "read" },
      { step: "pause", kind: "would", targets: ["budget/checkout"] },
      { kind: "skipped" },
      { kind: "told" },
    ],
  });
});

it("refuses a mode that would act", async () => {
  const context = aCommandContext();
  expect(await runCli(["run", "cost", "--dry-run", "--mode", "auto"], context, "1")).toBe(2);
  expect(context.requests).toEqual([]);
});
