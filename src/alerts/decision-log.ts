import type { Decision, KeptDecision } from "../../packages/sdk/src/wire/alerts.ts";
import type { Instant } from "../core/clock.ts";
import { dayMs } from "../core/duration.ts";
import type { Page } from "../core/page.ts";

/** A decision with its alert, as it is recorded. */
export type NewDecision = Omit<KeptDecision, "lastAt" | "count">;

/** Which decisions are asked for; every member that is present must match. Times are inclusive and refer to the first time a decision was taken. */
export interface DecisionFilter {
  readonly fingerprint?: string;
  readonly alertName?: string;
  readonly runbook?: string;
  readonly decision?: Decision["decision"];
  readonly since?: Instant;
  readonly until?: Instant;
}

/** How much is kept. */
export interface DecisionLimits {
  readonly maxEntries: number;
  /** Decisions of one kind about alerts of one name, so that one noisy alert leaves room for the others. */
  readonly maxPerClass: number;
  readonly retentionMs: number;
}

/** About 20 MB in Redis at most. */
export const defaultDecisionLimits: DecisionLimits = { maxEntries: 10_000, maxPerClass: 1000, retentionMs: 30 * dayMs };

/** Every decision about an alert, for people who ask why nothing ran. Calls reject with `StoreUnavailable` when the store cannot be reached. */
export interface DecisionLog {
  /**
   * Resolves when they are durable. A decision that repeats the last one about the same alert and runbook is counted instead of kept again;
   * `countsRepeats: false` ignores it, for a poll that only reads the same again.
   */
  record(decisions: readonly NewDecision[], options?: { readonly countsRepeats?: boolean }): Promise<void>;
  /** Newest first by the time of the first decision; `undefined` means that the cursor is none of this log. */
  list(filter: DecisionFilter, page: { readonly cursor?: string; readonly limit: number }): Promise<Page<KeptDecision> | undefined>;
}

/** What two decisions about one alert have in common when the second only repeats the first. */
export function repetitionOf({ decision, runId, guardrail, reason, retryAt, startsAt }: NewDecision): string {
  // A run that was started or joined is the same whatever the clock of the sender says; a refusal until a time may word that time anew.
  const isWorded = runId === undefined && retryAt === undefined;
  return JSON.stringify([decision, runId ?? "", guardrail ?? "", startsAt ?? 0, isWorded ? (reason ?? "") : ""]);
}

/** What a decision can be filtered by, apart from its time. */
export function qualitiesOf({ fingerprint, alertName, runbook, decision }: DecisionFilter): readonly string[] {
  return [
    ...(fingerprint === undefined ? [] : [`fingerprint ${fingerprint}`]),
    ...(alertName === undefined ? [] : [`alert ${alertName}`]),
    ...(runbook === undefined ? [] : [`runbook ${runbook}`]),
    ...(decision === undefined ? [] : [`decision ${decision}`]),
  ];
}

/** What {@link DecisionLimits.maxPerClass} bounds. */
export function classOf({ decision, alertName }: NewDecision): string {
  return `class ${decision} ${alertName ?? ""}`;
}
