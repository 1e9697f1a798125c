import type { Alert } from "../../packages/sdk/src/wire/alerts.ts";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { Effect, Plan } from "../../packages/sdk/src/wire/plans.ts";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";

const start = Date.UTC(2026, 0, 5, 12, 0, 0);
const second = 1000;
const minute = 60 * second;

/** One entry without its time. */
type Entry = JournalEntry extends infer Each ? (Each extends JournalEntry ? Omit<Each, "at"> : never) : never;

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

/** A whole run of the runbook for cost incidents: one retry, an answer of a person, a ramp with one step back, and a verification. */
export function aCostRun(change: { readonly alert?: Alert; readonly answerReason?: string; readonly failure?: string } = {}): {
  readonly summary: RunSummary;
  readonly journal: readonly JournalEntry[];
} {
  const alert = change.alert ?? aBurnAlert();
  const journal: JournalEntry[] = [];
  let at = start;
  const note = (afterMs: number, entry: Entry) => {
    at += afterMs;
    // The union of entries without their time is the union of entries once it has one.
    journal.push({ ...entry, at });
  };
  const intent = (step: string, action: string, effect: Effect, plan: Partial<Plan>, attempt = 1): Entry => ({
    kind: "intent",
    step,
    action,
    effect,
    attempt,
    group: attempt,
    idempotencyKey: "k",
    planSha: "s",
    plan: { summary: action, targets: ["budget/checkout"], changes: [], reversible: true, data: null, ...plan },
  });
  const changed = (field: string, before: Json, after: Json) => ({ target: "budget/checkout", field, before, after });
  const snapshot = (spent: number, running: number): Entry => ({
    kind: "applied",
    step: "take_a_snapshot",
    attempt: 1,
    output: {
      budget: "checkout",
      limit_usd: 300,
      spent_usd: spent,
      committed_usd: 1.5,
      spent_ratio: spent / 300,
      gate: "open",
      running,
      queued: 38,
      queues: ["tickets"],
      limits: { concurrency: null, max_attempts: null },
    },
  });

  note(0, {
    kind: "accepted",
    runId: "run_01JH",
    request: {
      runbookId: "cost-incident-response",
      runbookSha: "ab".repeat(32),
      mode: "auto",
      target: "budget/checkout",
      params: { budget: "checkout" },
      alert,
      source: "webhook",
    },
  });
  note(20, { kind: "claimed", worker: "worker-1" });
  note(5, { kind: "sampled", values: { burn: 21.4, spend: 0.0031 } });
  note(10, { kind: "checked", subject: { kind: "prerequisite", index: 0 }, truth: "true", detail: "1 series" });
  note(30, snapshot(94.2, 12));
  note(1, { kind: "completed", step: "take_a_snapshot" });
  note(
    30,
    intent("stop_all_batch_jobs", "pause-batches", "set", {
      summary: "Close admission of budget checkout",
      changes: [changed("gate", "open", "paused"), changed("pausedUntil", null, start + 240 * minute)],
    }),
  );
  note(40, {
    kind: "failed",
    step: "stop_all_batch_jobs",
    attempt: 1,
    failure: {
      reason: "refused_by_target",
      message: change.failure ?? "The controls of budget checkout changed since the plan.",
      applied: "no",
    },
  });
  note(
    5 * second,
    intent(
      "stop_all_batch_jobs",
      "pause-batches",
      "set",
      {
        summary: "Close admission of budget checkout",
        changes: [changed("gate", "open", "paused"), changed("pausedUntil", null, start + 240 * minute)],
      },
      2,
    ),
  );
  note(30, {
    kind: "applied",
    step: "stop_all_batch_jobs",
    attempt: 2,
    output: { budget: "checkout", paused: true, running: 12, queued: 38, paused_until: start + 240 * minute, already: false },
  });
  note(10, {
    kind: "checked",
    subject: { kind: "expected", step: "stop_all_batch_jobs" },
    truth: "true",
    detail: "`result.paused` is true",
  });
  note(1, { kind: "completed", step: "stop_all_batch_jobs" });
  note(
    20,
    intent("stop_tickets_in_flight", "cancel-tickets", "set", {
      summary: "Stop 12 running tickets of budget checkout at their next turn",
      reversible: false,
      changes: [changed("stopBefore", null, at)],
    }),
  );
  note(20, {
    kind: "applied",
    step: "stop_tickets_in_flight",
    attempt: 1,
    output: { budget: "checkout", found: 12, stopped: 12, running: 0, tickets: [] },
  });
  note(40 * second, { kind: "completed", step: "stop_tickets_in_flight" });
  note(10, { kind: "sampled", values: { burn: 9.8, spend: 0.0012 } });
  note(10 * second, {
    kind: "asked",
    question: {
      id: "q1",
      runId: "run_01JH",
      runbookId: "cost-incident-response",
      stepId: "prove_that_spending_has_stopped",
      kind: "ask",
      text: "Expected `result.value <= before.spend * 0.05` is inconclusive: no data.",
      answers: ["retry", "skip", "stop", "undo"],
      askedAt: at,
      role: "operator",
    },
  });
  note(3 * minute, {
    kind: "answered",
    questionId: "q1",
    answer: { answer: "retry", by: "ann", reason: change.answerReason ?? "scrape was late", at },
  });
  note(20, { kind: "applied", step: "prove_that_spending_has_stopped", attempt: 1, output: { value: 0.00001, count: 1, warnings: [] } });
  note(1, { kind: "completed", step: "prove_that_spending_has_stopped" });
  note(10, { kind: "claimed", worker: "worker-2" });
  note(60, {
    kind: "applied",
    step: "identify_high_cost_operations",
    attempt: 1,
    output: {
      budget: "checkout",
      verdict: "spike",
      sentence: "operation plan of prompt implement explains 97.4 % of the rise, mostly through attempts per ticket.",
      culprit: { prompt: "implement", operation: "plan", share: 0.91, share_of_rise: 0.974, factor: "attempts_per_ticket" },
      rows: [
        {
          prompt: "implement",
          operation: "plan",
          cost_usd: 10.22,
          baseline_usd: 0.41,
          change_usd: 9.81,
          share: 0.91,
          attempts_per_ticket: 7.8,
          baseline_attempts_per_ticket: 1.1,
          factor: "attempts_per_ticket",
        },
        {
          prompt: "review",
          operation: "summarise",
          cost_usd: 0.71,
          baseline_usd: 0.48,
          change_usd: 0.23,
          share: 0.063,
          attempts_per_ticket: 1,
          baseline_attempts_per_ticket: 1,
          factor: "tickets",
        },
        {
          prompt: "triage",
          operation: "classify",
          cost_usd: 0.3,
          baseline_usd: 0.33,
          change_usd: -0.03,
          share: 0.027,
          attempts_per_ticket: 1,
          baseline_attempts_per_ticket: 1,
        },
      ],
      cost_usd: 11.23,
      baseline_usd: 1.22,
      compared_with: "earlier",
      unpriced_share: 0,
      segment: { prompt: "implement", operation: "plan" },
      segment_cost_usd: 9.4,
      segment_baseline_usd: 0.36,
      factor: "attempts_per_ticket",
      factor_share: 0.96,
      factors: [
        { factor: "attempts_per_ticket", change_usd: 8.68, share: 0.96, times: 22.95 },
        { factor: "tokens_per_turn", change_usd: 0.6, share: 0.066, times: 1.24 },
        { factor: "tickets", change_usd: -0.24, share: -0.026, times: 0.917 },
        { factor: "price", change_usd: 0, share: 0, times: 1 },
      ],
      factor_compared_with: "earlier",
      began_at: start - 43 * minute,
      coincides: [{ kind: "deploy", ref: "release 1.5.0", by: "ci", at: start - 44 * minute, score: 0.61 }],
      advice: "Tickets are tried again and again: find what refuses their results, and allow one attempt each until then.",
      controls: {
        scale: 0.5,
        max_attempts: 1,
        predicted_per_hour_usd: 0.83,
        because: "With one attempt per ticket the same work costs $0.83 an hour, and the plan allows $0.42, so 50 % of the volume goes on.",
      },
      from: start - 60 * minute,
      to: start,
    },
  });
  note(1, { kind: "completed", step: "identify_high_cost_operations" });
  note(
    30,
    intent("implement_cost_controls", "set-limits", "set", {
      summary: "Lower limits of budget checkout: concurrency 6, max_attempts 1, per_ticket_cap_usd $5.00",
      changes: [changed("concurrency", null, 6), changed("maxAttempts", null, 1), changed("perTicketCapMicroUsd", null, 5_000_000)],
    }),
  );
  note(20, {
    kind: "applied",
    step: "implement_cost_controls",
    attempt: 1,
    output: {
      budget: "checkout",
      concurrency: 6,
      max_attempts: 1,
      per_ticket_cap_usd: 5,
      rate_per_minute: null,
      lowered: ["concurrency", "per_ticket_cap_usd", "max_attempts"],
      kept: [],
    },
  });
  note(1, { kind: "completed", step: "implement_cost_controls" });
  note(
    20,
    intent("resume_operations_with_limits", "resume-with-ramp", "set", {
      summary: "Open budget checkout with 1, then 3, then 6 tickets at once, each held 15m while the burn is under 1.2",
      changes: [changed("gate", "paused", "open"), changed("pausedUntil", start + 240 * minute, null)],
    }),
  );
  const ramp: readonly (readonly [string, number, number | null])[] = [
    ["the burn is not down yet; now closed", 4, 3.1],
    ["the burn is under the threshold; now 1 at once", 4, 0.4],
    ["the burn is under the threshold; now 1 at once", 8, 0.5],
    ["the burn is under the threshold; now 3 at once", 4, null],
    ["the burn came back; now 1 at once", 4, 1.6],
    ["the burn is under the threshold; now 3 at once", 16, 0.7],
    ["the burn is under the threshold; now 6 at once", 16, 0.8],
  ];
  for (const [headline, minutes, burn] of ramp) {
    note(minutes * minute, {
      kind: "progressed",
      step: "resume_operations_with_limits",
      attempt: 1,
      until: at,
      progress: { headline, note: "" },
    });
    note(1, { kind: "sampled", values: { burn, spend: burn === null ? null : burn / 7000 } });
  }
  note(15 * minute, {
    kind: "applied",
    step: "resume_operations_with_limits",
    attempt: 1,
    output: {
      budget: "checkout",
      steps: [1, 3, 3, 6],
      steps_back: 1,
      final_concurrency: 6,
      verified: true,
      resumed: true,
      paused: false,
      running: 5,
      queued: 3,
      burn: [0.8, 1.1],
    },
  });
  note(1, { kind: "completed", step: "resume_operations_with_limits" });
  note(50, {
    kind: "applied",
    step: "record_the_state_after_the_incident",
    attempt: 1,
    output: { budget: "checkout", limit_usd: 300, spent_usd: 96.1, gate: "open", running: 5, queued: 3 },
  });
  note(1, { kind: "completed", step: "record_the_state_after_the_incident" });
  note(10, { kind: "checked", subject: { kind: "verification", index: 0 }, truth: "inconclusive", detail: "no data" });
  note(10 * second, { kind: "sampled", values: { burn: 0.8, spend: 0.0001 } });
  note(10, { kind: "checked", subject: { kind: "verification", index: 0 }, truth: "true", detail: "1 series, 0.8" });
  note(5, { kind: "concluded", outcome: "succeeded", reason: "Every step is done and the verification holds." });
  note(50, { kind: "finished", outcome: "succeeded", reason: "Every step is done and the verification holds." });

  return {
    summary: {
      id: "run_01JH",
      runbookId: "cost-incident-response",
      runbookSha: "ab".repeat(32),
      mode: "auto",
      state: "ended",
      outcome: "succeeded",
      target: "budget/checkout",
      alertName: "LLMBudgetBurnFast",
      source: "webhook",
      acceptedAt: start,
      endedAt: at,
    },
    journal,
  };
}
