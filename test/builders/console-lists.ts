import type { ExplainedDecision } from "../../packages/sdk/src/wire/alerts.ts";
import { decisionKinds } from "../../packages/sdk/src/wire/alerts.ts";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import type { HealthCheck } from "../../packages/sdk/src/wire/service.ts";
import { type DecisionToExplain, explainDecision } from "../../src/alerts/explain-decision.ts";
import { anAskingScene } from "./console-scenes.ts";

const minuteMs = 60_000;
const now = (anAskingScene().journal.at(-1)?.at ?? 0) + 200_000;

function aDecision(index: number, decision: DecisionToExplain): ExplainedDecision {
  const at = now - index * 7 * minuteMs;
  return {
    ...decision,
    id: `dec_${index}`,
    at,
    lastAt: at + 2 * minuteMs,
    count: index % 3 === 0 ? 1 : index + 2,
    source: "webhook",
    labels: { budget: "checkout", severity: "critical", team: "payments" },
    startsAt: at - minuteMs,
    ...explainDecision(decision),
  };
}

const about = { fingerprint: "5ef77f1f8a3ecfb9", alertName: "LLMBudgetBurnFast", runbook: "cost-incident-response" } as const;
const frozen = "Frozen (runbook:cache-optimization) by ben: the provider changes its cache today";

const examples: readonly DecisionToExplain[] = [
  { ...about, decision: "enqueued", runId: "run_asks" },
  { ...about, alertName: "LLMBudgetBurnMedium", decision: "joined", runId: "run_asks" },
  { fingerprint: "a1", alertName: "CheckoutLatencyHigh", decision: "unmatched", reason: "No runbook's triggers match these labels." },
  { ...about, alertName: "LLMBudgetExceeded", decision: "refused", guardrail: "cooldown", retryAt: now + 26 * minuteMs },
  { ...about, alertName: "LLMCacheHitRateLow", runbook: "cache-optimization", decision: "paused", guardrail: "freeze", reason: frozen },
  { ...about, alertName: "LLMTicketStuck", decision: "refused", reason: "ticket: alert.labels.ticket is missing." },
  { ...about, decision: "resolved", runId: "run_ended" },
  { ...about, decision: "stale", reason: "It began before 2026-01-05T11:58:00.000Z, when its end was reported." },
  { fingerprint: "", decision: "unreadable", reason: "startsAt: expected an RFC 3339 time such as 2026-01-02T03:04:05.678Z" },
  {
    fingerprint: "ff",
    alertName: `<img src=x onerror="document.title=1"> ${"A".repeat(180)}`,
    decision: "unmatched",
    reason: "javascript:alert(1) \u202egnp.exe",
  },
];

/** One decision of each kind, two refusals for different reasons, and one about an alert that an attacker named. */
export function someDecisions(): readonly ExplainedDecision[] {
  return examples.map((decision, index) => aDecision(index, decision));
}

/** Fifty decisions. */
export function manyDecisions(): readonly ExplainedDecision[] {
  return Array.from({ length: 50 }, (_, index) =>
    aDecision(index, {
      ...about,
      decision: decisionKinds[index % decisionKinds.length] ?? "unmatched",
      runId: "run_asks",
      reason: "It is so.",
    }),
  );
}

/** Fifty runs in every state and with every outcome. */
export function manyRuns(): readonly RunSummary[] {
  const states = ["running", "suspended", "queued", "in_doubt", "ended"] as const;
  const outcomes = ["succeeded", "failed", "ineffective", "undone", "stood_down"] as const;
  return Array.from({ length: 50 }, (_, index) => {
    const state = states[index % states.length] ?? "ended";
    const outcome = outcomes[Math.floor(index / states.length) % outcomes.length] ?? "failed";
    const acceptedAt = now - index * 11 * minuteMs;
    return {
      id: `run_${index}`,
      runbookId: index % 2 === 0 ? "cost-incident-response" : "model-migration",
      runbookSha: "ab".repeat(32),
      mode: "auto",
      state,
      target: `budget/team-${index}`,
      alertName: "LLMBudgetBurnFast",
      source: "webhook",
      acceptedAt,
      step: "Resume operations with limits",
      ...(state === "suspended" && { note: "waiting for a person: approve" }),
      ...(state === "ended" && { outcome, endedAt: acceptedAt + 5 * minuteMs, note: "The verification does not hold." }),
    };
  });
}

/** One question for a storm of forty runs. */
export function aStormQuestion(): Question {
  const targets = Array.from({ length: 40 }, (_, index) => `budget/team-${index}`);
  return {
    id: "group_storm",
    group: "storm",
    runId: "run_0",
    runbookId: "cost-incident-response",
    stepId: "resume_operations_with_limits",
    kind: "approve",
    text: "storm: one decision for 40 runs",
    answers: ["approve", "reject"],
    planSha: "cd".repeat(32),
    plan: {
      summary: "40 changes",
      targets,
      changes: targets.map((target) => ({ target, field: "gate", before: "paused", after: "open" })),
      reversible: true,
      data: null,
    },
    about: {
      alertName: "LLMBudgetBurnFast",
      summary: "The budget is spent 21 times as fast as planned.",
      labels: { severity: "critical" },
    },
    askedAt: now - 4 * minuteMs,
    expiresAt: now + 56 * minuteMs,
    role: "approver",
  };
}

/** Checks that are all well, or of which some are not. */
export function someChecks(isUnwell = false): readonly HealthCheck[] {
  return [
    { name: "redis", state: "ok", detail: "Redis answers." },
    isUnwell
      ? { name: "runs", state: "bad", detail: "A run has waited 4 min for a worker. Is `runbookd worker` running?" }
      : { name: "runs", state: "ok", detail: "No run waits for a worker." },
    isUnwell
      ? { name: "watchdog", state: "unknown", detail: "The watchdog has never come through: `runbookd doctor` examines its route." }
      : { name: "watchdog", state: "ok", detail: "The watchdog came through 41 s ago." },
    { name: "prometheus", state: "ok", detail: "Prometheus answers in 12 ms." },
    { name: "alertmanagers", state: "ok", detail: "2 of 2 Alertmanagers answer." },
  ];
}
