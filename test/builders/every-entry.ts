import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Plan } from "../../packages/sdk/src/wire/plans.ts";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";

const start = Date.UTC(2026, 10, 26, 17, 26, 46);
const step = "stop_all_batch_jobs";

/** A plan that closes the gate of a budget. */
export const aClosingPlan: Plan = {
  summary: "Close admission of budget checkout",
  targets: ["budget/checkout"],
  changes: [
    { target: "budget/checkout", field: "gate", before: "open", after: "paused" },
    { target: "budget/checkout", field: "pausedUntil", before: null, after: start + 14_400_000 },
  ],
  reversible: true,
  data: null,
};

/** A question that asks to approve {@link aClosingPlan}. */
export const anApproval: Question = {
  id: "q_1",
  runId: "run_01JH",
  runbookId: "cost-incident-response",
  stepId: step,
  kind: "approve",
  text: "Close admission of budget checkout?",
  answers: ["approve", "reject"],
  planSha: "9f".repeat(32),
  plan: aClosingPlan,
  askedAt: start,
  expiresAt: start + 3_600_000,
  role: "approver",
};

const failure = { reason: "refused_by_target", message: "The controls of budget checkout changed since the plan.", applied: "no" } as const;

/** One entry of every kind; a test compares the list with the type. */
export const everyEntry: readonly JournalEntry[] = [
  {
    kind: "accepted",
    at: start,
    runId: "run_01JH",
    request: {
      runbookId: "cost-incident-response",
      runbookSha: "ab".repeat(32),
      mode: "auto",
      target: "budget/checkout",
      params: { budget: "checkout" },
      source: "manual",
      requester: "ann",
    },
  },
  { kind: "claimed", at: start, worker: "worker-1" },
  { kind: "sampled", at: start, values: { burn: 25.6, spend: null } },
  {
    kind: "intent",
    at: start,
    step,
    action: "pause-batches",
    effect: "set",
    risk: "lowers",
    attempt: 2,
    group: 1,
    idempotencyKey: "k",
    plan: aClosingPlan,
    planSha: "9f".repeat(32),
  },
  { kind: "applied", at: start, step, attempt: 2, output: { paused: true, sentence: "The gate of budget checkout is paused" } },
  { kind: "progressed", at: start, step, attempt: 1, progress: { headline: "now 2 at once" }, until: start + 60_000 },
  { kind: "failed", at: start, step, attempt: 1, failure },
  { kind: "completed", at: start, step },
  { kind: "skipped", at: start, step, why: "its condition is false" },
  { kind: "checked", at: start, subject: { kind: "expected", step }, truth: "inconclusive", detail: "no data" },
  { kind: "suspended", at: start, step, until: start + 5000, why: "it is tried again" },
  { kind: "asked", at: start, question: anApproval },
  { kind: "escalated", at: start, questionId: "q_1" },
  { kind: "answered", at: start, questionId: "q_1", answer: { answer: "approve", by: "ann", reason: "the limits bound it", at: start } },
  { kind: "retried", at: start, step, why: "ann answered retry" },
  { kind: "jumped", at: start, from: step, to: "implement_cost_controls" },
  { kind: "refused", at: start, step, guardrail: "blast-radius", reason: "it touches 60 targets and 50 are allowed", plan: aClosingPlan },
  { kind: "frozen", at: start, step, scope: "budget/*", by: "ben", reason: "the provider changes its cache today" },
  { kind: "preflight", at: start, standing: "gone", detail: "no Alertmanager lists it" },
  { kind: "resolved", at: start, why: "Alertmanager reports it" },
  { kind: "joined", at: start, count: 2, why: "LLMBudgetExceeded fires for the same target", repeats: [step] },
  { kind: "stop_requested", at: start, by: "ann", reason: "a wrong budget" },
  { kind: "undo_started", at: start, why: "ann answered undo", outcome: "undone" },
  { kind: "undo_intent", at: start, step, attempt: 1, idempotencyKey: "u" },
  { kind: "undone", at: start, step, kept: "lowers" },
  { kind: "undo_failed", at: start, step, attempt: 1, failure },
  { kind: "concluded", at: start, outcome: "succeeded", reason: "every step is done" },
  { kind: "finished", at: start, outcome: "failed", reason: "a step failed", failure },
];
