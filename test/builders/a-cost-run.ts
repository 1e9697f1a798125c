import type { Alert } from "../../packages/sdk/src/wire/alerts.ts";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { aCostRanking } from "./a-cost-ranking.ts";
import { createJournal, type JournalInMaking } from "./create-journal.ts";

const start = Date.UTC(2026, 0, 5, 12, 0, 0);
const second = 1000;
const minute = 60 * second;
const runId = "run_01JH";
const common = {
  runbookId: "cost-incident-response",
  runbookSha: "ab".repeat(32),
  mode: "auto",
  target: "budget/checkout",
  source: "webhook",
} as const;

/** Alert of a budget that burns; labels and annotations may be made hostile. */
export function aBurnAlert(change: Partial<Alert> = {}): Alert {
  return {
    status: "firing",
    labels: { alertname: "LLMBudgetBurnFast", budget: "checkout", severity: "critical" },
    annotations: { summary: "Budget checkout burns at 21.4x plan" },
    startsAt: start - 70 * second,
    generatorUrl: "http://prometheus:9090/graph",
    fingerprint: "d33d9b9faad52c5d",
    ...change,
  };
}

/** What a test may change in the run. */
export interface CostRunChange {
  readonly alert?: Alert;
  readonly answerReason?: string;
  readonly failure?: string;
}

/** A whole run of the runbook for cost incidents: one retry, an answer of a person, a ramp with one step back, and a verification. */
export function aCostRun(change: CostRunChange = {}): { readonly summary: RunSummary; readonly journal: readonly JournalEntry[] } {
  const journal = createJournal(start);
  journal.note(0, {
    kind: "accepted",
    runId,
    request: { ...common, params: { budget: "checkout" }, alert: change.alert ?? aBurnAlert() },
  });
  journal.note(20, { kind: "claimed", worker: "worker-1" });
  journal.note(5, { kind: "sampled", values: { burn: 21.4, spend: 0.0031 } });
  journal.note(10, { kind: "checked", subject: { kind: "prerequisite", index: 0 }, truth: "true", detail: "1 series" });
  takeSnapshot(journal);
  stopEverything(journal, change.failure ?? "The controls of budget checkout changed since the plan.");
  askWhetherSpendingStopped(journal, change.answerReason ?? "scrape was late");
  journal.note(10, { kind: "claimed", worker: "worker-2" });
  limitTheCause(journal);
  resumeWithRamp(journal);
  verify(journal);
  const alertName = "LLMBudgetBurnFast";
  const ended = { state: "ended", outcome: "succeeded", acceptedAt: start, endedAt: journal.now() } as const;
  return { summary: { id: runId, ...common, alertName, ...ended }, journal: journal.entries };
}

const changed = (field: string, before: Json, after: Json) => ({ target: "budget/checkout", field, before, after });
const pausedUntil = start + 240 * minute;

function takeSnapshot(journal: JournalInMaking): void {
  const step = journal.step("take_a_snapshot");
  const money = { limit_usd: 300, spent_usd: 94.2, committed_usd: 1.5, spent_ratio: 94.2 / 300 };
  const limits = { concurrency: null, max_attempts: null };
  step.applied(30, { budget: "checkout", ...money, gate: "open", running: 12, queued: 38, queues: ["tickets"], limits });
  step.completed(1);
}

function stopEverything(journal: JournalInMaking, failure: string): void {
  const pause = {
    action: "pause-batches",
    summary: "Close admission of budget checkout",
    changes: [changed("gate", "open", "paused"), changed("pausedUntil", null, pausedUntil)],
  };
  const batches = journal.step("stop_all_batch_jobs");
  batches.intent(30, pause);
  batches.failed(40, failure);
  batches.intent(5 * second, { ...pause, attempt: 2 });
  batches.applied(30, { budget: "checkout", paused: true, running: 12, queued: 38, paused_until: pausedUntil, already: false }, 2);
  batches.checked(10, "true", "`result.paused` is true");
  batches.completed(1);

  const tickets = journal.step("stop_tickets_in_flight");
  tickets.intent(20, {
    action: "cancel-tickets",
    summary: "Stop 12 running tickets of budget checkout at their next turn",
    reversible: false,
    changes: [changed("stopBefore", null, journal.now())],
  });
  tickets.applied(20, { budget: "checkout", found: 12, stopped: 12, running: 0, tickets: [] });
  tickets.completed(40 * second);
}

function askWhetherSpendingStopped(journal: JournalInMaking, reason: string): void {
  const stepId = "prove_that_spending_has_stopped";
  const step = journal.step(stepId);
  journal.note(10, { kind: "sampled", values: { burn: 9.8, spend: 0.0012 } });
  const text = "Expected `result.value <= before.spend * 0.05` is inconclusive: no data.";
  const asked = { askedAt: journal.now(), role: "operator" } as const;
  const question = { id: "q1", runId, runbookId: common.runbookId, stepId, kind: "ask", text, ...asked } as const;
  journal.note(10 * second, { kind: "asked", question: { ...question, answers: ["retry", "skip", "stop", "undo"] } });
  journal.note(3 * minute, { kind: "answered", questionId: "q1", answer: { answer: "retry", by: "ann", reason, at: journal.now() } });
  step.applied(20, { value: 0.00001, count: 1, warnings: [] });
  step.completed(1);
}

function limitTheCause(journal: JournalInMaking): void {
  const identify = journal.step("identify_high_cost_operations");
  identify.applied(60, aCostRanking(start));
  identify.completed(1);

  const implement = journal.step("implement_cost_controls");
  implement.intent(30, {
    action: "set-limits",
    summary: "Lower limits of budget checkout: concurrency 6, max_attempts 1, per_ticket_cap_usd $5.00",
    changes: [changed("concurrency", null, 6), changed("maxAttempts", null, 1), changed("perTicketCapMicroUsd", null, 5_000_000)],
  });
  const limits = { concurrency: 6, max_attempts: 1, per_ticket_cap_usd: 5, rate_per_minute: null };
  implement.applied(20, { budget: "checkout", ...limits, lowered: ["concurrency", "per_ticket_cap_usd", "max_attempts"], kept: [] });
  implement.completed(1);
}

/** Headline, minutes before it, and the burn that was seen then. */
const ramp: readonly (readonly [string, number, number | null])[] = [
  ["the burn is not down yet; now closed", 4, 3.1],
  ["the burn is under the threshold; now 1 at once", 4, 0.4],
  ["the burn is under the threshold; now 1 at once", 8, 0.5],
  ["the burn is under the threshold; now 3 at once", 4, null],
  ["the burn came back; now 1 at once", 4, 1.6],
  ["the burn is under the threshold; now 3 at once", 16, 0.7],
  ["the burn is under the threshold; now 6 at once", 16, 0.8],
];

function resumeWithRamp(journal: JournalInMaking): void {
  const step = journal.step("resume_operations_with_limits");
  step.intent(20, {
    action: "resume-with-ramp",
    summary: "Open budget checkout with 1, then 3, then 6 tickets at once, each held 15m while the burn is under 1.2",
    changes: [changed("gate", "paused", "open"), changed("pausedUntil", pausedUntil, null)],
  });
  for (const [headline, minutes, burn] of ramp) {
    step.progressed(minutes * minute, headline);
    journal.note(1, { kind: "sampled", values: { burn, spend: burn === null ? null : burn / 7000 } });
  }
  const ramped = { steps: [1, 3, 3, 6], steps_back: 1, final_concurrency: 6, verified: true };
  step.applied(15 * minute, { budget: "checkout", ...ramped, resumed: true, paused: false, running: 5, queued: 3, burn: [0.8, 1.1] });
  step.completed(1);
}

function verify(journal: JournalInMaking): void {
  const step = journal.step("record_the_state_after_the_incident");
  step.applied(50, { budget: "checkout", limit_usd: 300, spent_usd: 96.1, gate: "open", running: 5, queued: 3 });
  step.completed(1);
  const subject = { kind: "verification", index: 0 } as const;
  journal.note(10, { kind: "checked", subject, truth: "inconclusive", detail: "no data" });
  journal.note(10 * second, { kind: "sampled", values: { burn: 0.8, spend: 0.0001 } });
  journal.note(10, { kind: "checked", subject, truth: "true", detail: "1 series, 0.8" });
  const end = { outcome: "succeeded", reason: "Every step is done and the verification holds." } as const;
  journal.note(5, { kind: "concluded", ...end });
  journal.note(50, { kind: "finished", ...end });
}
