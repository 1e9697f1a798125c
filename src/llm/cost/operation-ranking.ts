import type { CostFactor } from "../../../packages/sdk/src/wire/costs.ts";
import type { MicroUsd } from "../../core/money.ts";
import { formatShare } from "../../core/share.ts";

/** Spend of one (prompt, operation, provider, model) in one window. */
export interface OperationSpend {
  readonly prompt: string;
  readonly operation: string;
  readonly costMicroUsd: MicroUsd;
  readonly requests: number;
  readonly tickets: number;
  readonly attempts: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly unpricedTokens: number;
}

/** One (prompt, operation) in both windows; the baseline is scaled to the incident's length. */
export interface RankedOperation {
  readonly prompt: string;
  readonly operation: string;
  readonly costMicroUsd: MicroUsd;
  readonly baselineMicroUsd: MicroUsd;
  readonly changeMicroUsd: MicroUsd;
  /** Of the incident's cost, 0 to 1. */
  readonly share: number;
  /** Of the rise, (A−F of this row)/(A−F); absent when there is no rise. */
  readonly shareOfRise?: number;
  readonly attemptsPerTicket?: number;
  readonly baselineAttemptsPerTicket?: number;
  /**
   * The factor that explains most of the row's change, with its part in micro-USD. Rows do not tell what the cache did or how long answers were, so
   * `price` is that of any token, with all of this in it. Absent when a factor was zero in a window.
   */
  readonly factor?: { readonly name: CostFactor; readonly changeMicroUsd: MicroUsd };
}

/** `spike`: one row explains most of a rise. `diffuse`: it rose everywhere. `no_spike`: no rise of 10 %. `no_spend`: nothing was spent in the window. */
export interface OperationRanking {
  readonly verdict: "spike" | "diffuse" | "no_spike" | "no_spend";
  /** For people; says first when tokens without a price make the ranking doubtful. */
  readonly sentence: string;
  readonly rows: readonly RankedOperation[];
  readonly culprit?: RankedOperation;
  readonly costMicroUsd: MicroUsd;
  readonly baselineMicroUsd: MicroUsd;
  /** Tokens that no price covers, of all tokens in the window, 0 to 1. */
  readonly unpricedShare: number;
}

const minRise = 0.1;
const spikeShareOfRise = 0.67;
const doubtfulUnpricedShare = 0.01;

/**
 * Ranks operations by what their cost rose over the matching earlier window.
 * The explanatory power (A−F of the row)/(A−F) and its 67 % bound follow Adtributor (Bhagwan et al., NSDI 2014);
 * the factor is the largest term of an additive LMDI-I decomposition (Ang, 2005), which is exact.
 */
export function rankOperations(
  incident: { readonly rows: readonly OperationSpend[]; readonly durationMs: number },
  baseline: { readonly rows: readonly OperationSpend[]; readonly durationMs: number },
): OperationRanking {
  const scale = baseline.durationMs > 0 ? incident.durationMs / baseline.durationMs : 0;
  const now = groupByOperation(incident.rows, 1);
  const then = groupByOperation(baseline.rows, scale);
  const total = sum(now.values());
  const baselineTotal = sum(then.values());
  const rise = total - baselineTotal;
  const whole = { total, rise };

  const rows = [...new Set([...now.keys(), ...then.keys()])]
    .map((key) => rankRow(now.get(key), then.get(key), whole))
    .sort((a, b) => b.changeMicroUsd - a.changeMicroUsd || b.costMicroUsd - a.costMicroUsd || (a.prompt < b.prompt ? -1 : 1));

  const unpriced = incident.rows.reduce((tokens, row) => tokens + row.unpricedTokens, 0);
  const tokens = incident.rows.reduce((all, row) => all + row.inputTokens + row.outputTokens, 0);
  const unpricedShare = unpriced === 0 ? 0 : unpriced / Math.max(tokens, unpriced);
  const facts = { rows, costMicroUsd: total, baselineMicroUsd: Math.round(baselineTotal), unpricedShare };
  const caution =
    unpricedShare > doubtfulUnpricedShare
      ? `${formatShare(unpricedShare)} of the tokens have no price, so this ranking may be wrong. `
      : "";

  const first = rows[0];
  if (total === 0 || first === undefined) {
    return { ...facts, verdict: "no_spend", sentence: `${caution}Nothing was spent in this window.` };
  }
  if (rise <= baselineTotal * minRise) {
    return { ...facts, verdict: "no_spike", sentence: `${caution}No attributable spike: spend rose by less than 10 %.` };
  }
  if ((first.shareOfRise ?? 0) < spikeShareOfRise) {
    return {
      ...facts,
      verdict: "diffuse",
      sentence: `${caution}The rise is diffuse: the first operation, ${nameOf(first)}, explains ${formatShare(first.shareOfRise ?? 0)} of it.`,
    };
  }
  const because = first.factor === undefined ? "" : `, mostly through ${first.factor.name.replaceAll("_", " ")}`;
  return {
    ...facts,
    verdict: "spike",
    culprit: first,
    sentence: `${caution}${nameOf(first)} explains ${formatShare(first.shareOfRise ?? 0)} of the rise${because}.`,
  };
}

interface Totals {
  readonly prompt: string;
  readonly operation: string;
  readonly costMicroUsd: number;
  readonly requests: number;
  readonly tickets: number;
  readonly attempts: number;
  readonly tokens: number;
}

function groupByOperation(rows: readonly OperationSpend[], scale: number): Map<string, Totals> {
  const groups = new Map<string, Totals>();
  for (const row of rows) {
    const key = JSON.stringify([row.prompt, row.operation]);
    const group = groups.get(key);
    groups.set(key, {
      prompt: row.prompt,
      operation: row.operation,
      costMicroUsd: (group?.costMicroUsd ?? 0) + row.costMicroUsd * scale,
      requests: (group?.requests ?? 0) + row.requests * scale,
      tickets: (group?.tickets ?? 0) + row.tickets * scale,
      attempts: (group?.attempts ?? 0) + row.attempts * scale,
      tokens: (group?.tokens ?? 0) + (row.inputTokens + row.outputTokens) * scale,
    });
  }
  return groups;
}

/** `whole` is what all rows cost now, and by how much that rose. */
function rankRow(
  now: Totals | undefined,
  then: Totals | undefined,
  { total, rise }: { readonly total: number; readonly rise: number },
): RankedOperation {
  const cost = now?.costMicroUsd ?? 0;
  const before = then?.costMicroUsd ?? 0;
  const attempts = perTicket(now);
  const attemptsBefore = perTicket(then);
  const factor = now !== undefined && then !== undefined ? strongestFactor(now, then) : undefined;
  return {
    prompt: now?.prompt ?? then?.prompt ?? "",
    operation: now?.operation ?? then?.operation ?? "",
    costMicroUsd: Math.round(cost),
    baselineMicroUsd: Math.round(before),
    changeMicroUsd: Math.round(cost - before),
    share: total > 0 ? cost / total : 0,
    ...(rise > 0 && { shareOfRise: (cost - before) / rise }),
    ...(attempts !== undefined && { attemptsPerTicket: attempts }),
    ...(attemptsBefore !== undefined && { baselineAttemptsPerTicket: attemptsBefore }),
    ...(factor !== undefined && { factor }),
  };
}

/** Δ of factor x = L(A, F)·ln(xA/xF) with the logarithmic mean L(a, b) = (a−b)/(ln a − ln b); the terms sum to A−F. */
function strongestFactor(now: Totals, then: Totals): RankedOperation["factor"] {
  const a = factorsOf(now);
  const f = factorsOf(then);
  if (a === undefined || f === undefined) return undefined;
  const mean =
    now.costMicroUsd === then.costMicroUsd
      ? now.costMicroUsd
      : (now.costMicroUsd - then.costMicroUsd) / Math.log(now.costMicroUsd / then.costMicroUsd);
  const terms = a.map(([name, value], index) => ({ name, change: mean * Math.log(value / (f[index]?.[1] ?? value)) }));
  const rises = now.costMicroUsd >= then.costMicroUsd;
  const strongest = terms.reduce((best, term) => ((rises ? term.change > best.change : term.change < best.change) ? term : best));
  return { name: strongest.name, changeMicroUsd: Math.round(strongest.change) };
}

function factorsOf(totals: Totals): readonly (readonly [CostFactor, number])[] | undefined {
  const { tickets, attempts, requests, tokens, costMicroUsd } = totals;
  if (tickets <= 0 || attempts <= 0 || requests <= 0 || tokens <= 0 || costMicroUsd <= 0) return undefined;
  return [
    ["tickets", tickets],
    ["attempts_per_ticket", attempts / tickets],
    ["turns_per_attempt", requests / attempts],
    ["tokens_per_turn", tokens / requests],
    ["price", costMicroUsd / tokens],
  ];
}

function perTicket(totals: Totals | undefined): number | undefined {
  return totals === undefined || totals.tickets <= 0 ? undefined : totals.attempts / totals.tickets;
}

function sum(groups: Iterable<Totals>): number {
  let total = 0;
  for (const group of groups) total += group.costMicroUsd;
  return total;
}

function nameOf(row: RankedOperation): string {
  return `operation ${row.operation} of prompt ${row.prompt}`;
}
