import type { JournalEntry, RunRecord } from "../../packages/sdk/src/wire/journal.ts";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { aBurnAlert, aCostRun } from "./a-cost-run.ts";
import { createJournal } from "./create-journal.ts";
import { aClosingPlan, anApproval } from "./every-entry.ts";

const minuteMs = 60_000;
const stepOf = (entry: JournalEntry) => ("step" in entry ? entry.step : undefined);

/** A run of the runbook for cost incidents that waits in its seventh step for an approval. */
export function anAskingScene(change: Partial<Question> = {}): RunRecord {
  const { summary, journal } = aCostRun();
  const end = journal.findIndex((entry) => stepOf(entry) === "resume_operations_with_limits");
  const intent = journal[end];
  const until = journal.slice(0, end);
  const at = (until.at(-1)?.at ?? 0) + 20;
  const question: Question = {
    ...anApproval,
    id: "q_resume",
    runId: summary.id,
    stepId: "resume_operations_with_limits",
    text: "Open budget checkout again with 1, then 3, then 6 tickets at once?",
    ...(intent?.kind === "intent" && { plan: intent.plan }),
    about: {
      target: "budget/checkout",
      alertName: "LLMBudgetBurnFast",
      summary: "Budget checkout is spent 21 times as fast as planned.",
      labels: { budget: "checkout", severity: "critical" },
    },
    askedAt: at,
    expiresAt: at + 60 * minuteMs,
    ...change,
  };
  const { endedAt: _endedAt, outcome: _outcome, ...open } = summary;
  return {
    summary: { ...open, id: "run_asks", state: "suspended", step: "Resume operations with limits", note: "waiting for a person: approve" },
    journal: [...until, { kind: "sampled", at, values: { burn: 0.15, spend: 0.0001 } }, { kind: "asked", at, question }],
  };
}

/** The same run when it has ended, with its review. */
export function anEndedScene(): RunRecord {
  const { summary, journal } = aCostRun();
  return {
    summary: { ...summary, id: "run_ended", note: "Every step is done and the verification holds." },
    journal,
    report: { text: "Cost incident response\n\nThe burn fell from 21.4 to 0.8." },
  };
}

/** A run in which everything goes wrong that can: a failure and its retry, a skipped step, a refusal, an undo, a freeze, and an effect in doubt. */
export function aTroubledScene(): RunRecord {
  const journal = createJournal(Date.UTC(2026, 0, 5, 12));
  const { summary } = aCostRun();
  const common = { runbookId: summary.runbookId, runbookSha: summary.runbookSha, mode: "auto", source: "webhook" } as const;
  journal.note(0, { kind: "accepted", runId: "run_trouble", request: { ...common, params: {}, alert: aBurnAlert() } });
  journal.note(20, { kind: "claimed", worker: "worker-1" });
  journal.note(5, {
    kind: "checked",
    subject: { kind: "prerequisite", index: 0 },
    truth: "inconclusive",
    detail: "Prometheus does not answer",
  });
  journal.note(5, { kind: "skipped", step: "take_a_snapshot", why: "its condition `params.snapshot` is false" });
  const stop = journal.step("stop_all_batch_jobs");
  stop.intent(10, { action: "pause-batches", summary: aClosingPlan.summary, changes: aClosingPlan.changes });
  stop.applied(30, { paused: true });
  stop.checked(10, "true", "`result.paused` is true");
  stop.completed(1);
  const tickets = journal.step("stop_tickets_in_flight");
  tickets.intent(10, { action: "cancel-tickets", summary: "Stop 12 running tickets" });
  tickets.failed(40, "The queue did not answer within 5 s.");
  journal.note(1, { kind: "suspended", step: "stop_tickets_in_flight", until: journal.now() + 5000, why: "it is tried again" });
  journal.note(5000, { kind: "claimed", worker: "worker-2" });
  tickets.intent(10, { action: "cancel-tickets", summary: "Stop 12 running tickets", attempt: 2 });
  tickets.failed(40, "The queue did not answer within 5 s.", 2);
  journal.note(10, { kind: "jumped", from: "stop_tickets_in_flight", to: "identify_high_cost_operations" });
  journal.note(10, {
    kind: "refused",
    step: "identify_high_cost_operations",
    guardrail: "change-rate",
    reason: "3 of 3 changes of budget/checkout were made within 1 h",
    plan: aClosingPlan,
  });
  journal.note(10, {
    kind: "frozen",
    step: "implement_cost_controls",
    scope: "budget/*",
    by: "ben",
    reason: "the provider changes its cache today",
  });
  journal.note(minuteMs, { kind: "stop_requested", by: "ann", reason: "it is the wrong budget" });
  journal.note(10, { kind: "undo_started", why: "ann asked for a stop", outcome: "undone" });
  journal.note(10, { kind: "undo_intent", step: "stop_all_batch_jobs", attempt: 1, idempotencyKey: "u" });
  journal.note(10, { kind: "undone", step: "stop_all_batch_jobs" });
  const resume = journal.step("resume_operations_with_limits");
  resume.intent(10, { action: "resume-with-ramp", summary: "Open budget checkout with 1 ticket at once", effect: "once" });
  const question: Question = {
    id: "q_doubt",
    runId: "run_trouble",
    runbookId: summary.runbookId,
    stepId: "resume_operations_with_limits",
    kind: "in_doubt",
    text: "Worker worker-2 was lost while it opened budget checkout. Did it happen? The target answers that the gate is open.",
    answers: ["happened", "retry", "abort"],
    askedAt: journal.now(),
    role: "operator",
  };
  journal.note(10, { kind: "asked", question });
  return {
    summary: { ...openSummary(summary), id: "run_trouble", state: "in_doubt", step: "Resume operations with limits" },
    journal: journal.entries,
  };
}

function openSummary({ endedAt: _endedAt, outcome: _outcome, ...open }: RunSummary): Omit<RunSummary, "endedAt" | "outcome"> {
  return open;
}

/** A run that was accepted and not begun. */
export function aQueuedScene(): RunRecord {
  const { summary, journal } = aCostRun();
  return { summary: { ...openSummary(summary), id: "run_queued", state: "queued" }, journal: journal.slice(0, 1) };
}

/** A run whose labels, answers and results hold what an attacker would put there. */
export function aHostileScene(): RunRecord {
  const evil = '<img src=x onerror="document.title=1"> javascript:alert(1) \u202Egnp.exe';
  const alert = aBurnAlert({
    labels: { alertname: evil, severity: "x".repeat(3000) },
    annotations: { summary: `${"word".repeat(500)} ${evil}` },
  });
  const { summary, journal } = aCostRun({ alert, failure: evil, answerReason: `${evil}${"y".repeat(1_000_000)}` });
  return { summary: { ...summary, id: "run_hostile", target: evil, note: evil }, journal };
}
