import type { SpendRow } from "../../../packages/sdk/src/wire/budgets.ts";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";

/** What a row of the spend history is about. */
export type RowKey = readonly [prompt: string, operation: string, provider: string, model: string];

/** Rows of one bucket beyond this number are added up as one. */
export const maxRows = 500;

/** The row that takes what is beyond `mostRows`. */
export const overflowRow: RowKey = ["other", "other", "other", "other"];

/** The row that an event belongs to. */
export function rowKeyOf(event: UsageEvent): RowKey {
  return [event.prompt, event.operation, event.provider, event.model];
}

/** Sums of one row in one bucket, and who stands behind them. */
export interface RowPart {
  readonly key: RowKey;
  readonly costMicroUsd: number;
  readonly estimatedMicroUsd: number;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly unpricedTokens: number;
  /** One per ticket and attempt: `<ticket>#<attempt>`. */
  readonly attempts: readonly string[];
}

/** Rows over all buckets, dearest first. A ticket that was seen in several buckets counts once. */
export function sumRows(parts: readonly RowPart[]): SpendRow[] {
  const rows = new Map<string, { sums: Omit<RowPart, "attempts">; attempts: Set<string> }>();
  for (const part of parts) {
    const name = JSON.stringify(part.key);
    const existing = rows.get(name);
    if (existing === undefined) {
      rows.set(name, { sums: part, attempts: new Set(part.attempts) });
      continue;
    }
    for (const attempt of part.attempts) existing.attempts.add(attempt);
    existing.sums = {
      key: part.key,
      costMicroUsd: existing.sums.costMicroUsd + part.costMicroUsd,
      estimatedMicroUsd: existing.sums.estimatedMicroUsd + part.estimatedMicroUsd,
      requests: existing.sums.requests + part.requests,
      inputTokens: existing.sums.inputTokens + part.inputTokens,
      outputTokens: existing.sums.outputTokens + part.outputTokens,
      unpricedTokens: existing.sums.unpricedTokens + part.unpricedTokens,
    };
  }
  return [...rows.values()]
    .map(({ sums: { key, ...sums }, attempts }) => ({
      prompt: key[0],
      operation: key[1],
      provider: key[2],
      model: key[3],
      costMicroUsd: sums.costMicroUsd,
      estimatedMicroUsd: sums.estimatedMicroUsd,
      requests: sums.requests,
      inputTokens: sums.inputTokens,
      outputTokens: sums.outputTokens,
      unpricedTokens: sums.unpricedTokens,
      tickets: new Set([...attempts].map((attempt) => attempt.slice(0, attempt.lastIndexOf("#")))).size,
      attempts: attempts.size,
    }))
    .sort((a, b) => b.costMicroUsd - a.costMicroUsd || b.requests - a.requests);
}

/** The row of turns that ended without a report. */
export const unreportedRow: RowKey = ["unreported", "unreported", "unreported", "unreported"];
