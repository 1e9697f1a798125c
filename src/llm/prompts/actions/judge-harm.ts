import { describeUnseen, type PrometheusReader } from "../../../core/prometheus.ts";
import { seriesRead } from "../../../runbooks/expressions/promql.ts";
import { type Arm, decideSequentially } from "../../rollouts/sequential-decision.ts";
import type { PromptRolloutFacts } from "./rollout-ramp.ts";

/** What may show that a canary harms. */
export interface HarmQueries {
  /** Each must answer nothing. */
  readonly harm: readonly string[];
  /** Ended tickets of the canary, those of them that succeeded, and both of the baseline; absent: not asked. */
  readonly outcomes: readonly string[] | undefined;
}

/** The canary's tickets may succeed less often by less than this. */
const margin = 0.1;
/** Prometheus keeps these two for alerts that are active, so that their absence is an answer. */
const existsOnlyWhileFiring = /^ALERTS(?:_FOR_STATE)?\{/;
/** Tickets of both arms for which the comparison is sharpest. */
const planned = 600;

/**
 * Looks for harm. Outcomes are compared by a sequence of intervals that holds at all checks at once, so that looking every few minutes takes no equal version back:
 * a fixed threshold would in one of five cases. What cannot be seen is said so and is no harm.
 */
export async function judgeHarm(
  { harm, outcomes }: HarmQueries,
  observed: { readonly canaryHasTickets: boolean },
  { prometheus, signal }: { readonly prometheus: PrometheusReader; readonly signal: AbortSignal },
): Promise<PromptRolloutFacts["harm"]> {
  const checks = await Promise.all(harm.map(async (query) => checkHarm(query, prometheus, signal)));
  const counts = await Promise.all((outcomes ?? []).map(async (query) => countTickets(query, prometheus, signal)));
  const finding = checks.find(({ kind }) => kind === "harmed") ?? checks.find(({ kind }) => kind === "unseen");
  if (finding !== undefined) return finding;
  const numbers: number[] = [];
  for (const count of counts) {
    if (typeof count !== "number") return count;
    numbers.push(count);
  }
  return outcomes === undefined ? { kind: "none" } : judgeOutcomes(numbers, observed.canaryHasTickets);
}

/** An answer of nothing shows that there is no harm only when the series that the query reads exist. */
async function checkHarm(query: string, prometheus: PrometheusReader, signal: AbortSignal): Promise<PromptRolloutFacts["harm"]> {
  const answer = await prometheus.query(query, { signal });
  if (answer.kind !== "samples") return { kind: "unseen", text: describeUnseen(answer) };
  const shown = query.slice(0, 200);
  if (answer.samples.some(({ value }) => Number.isNaN(value))) return { kind: "unseen", text: `the answer is not a number: ${shown}` };
  if (answer.samples.length > 0) return { kind: "harmed", text: `this must answer nothing and does: ${shown}` };
  for (const selector of seriesRead(query).filter((one) => !existsOnlyWhileFiring.test(one))) {
    const exists = await prometheus.query(`count(${selector})`, { signal });
    if (exists.kind !== "samples") return { kind: "unseen", text: describeUnseen(exists) };
    if (exists.samples.length === 0) return { kind: "unseen", text: `no series ${selector}` };
  }
  return { kind: "none" };
}

/** No sample counts as none: a counter without an event has no series. */
async function countTickets(
  query: string,
  prometheus: PrometheusReader,
  signal: AbortSignal,
): Promise<number | PromptRolloutFacts["harm"]> {
  const answer = await prometheus.query(query, { signal });
  if (answer.kind !== "samples") return { kind: "unseen", text: describeUnseen(answer) };
  const count = answer.samples.reduce((sum, { value }) => sum + value, 0);
  return Number.isFinite(count) ? count : { kind: "unseen", text: `the answer is not a number: ${query.slice(0, 200)}` };
}

function judgeOutcomes(counts: readonly number[], canaryHasTickets: boolean): PromptRolloutFacts["harm"] {
  const [canary, baseline] = [armOf(counts[0], counts[1]), armOf(counts[2], counts[3])];
  if (baseline.tickets === 0) return { kind: "unseen", text: "no ended ticket of the baseline is counted" };
  if (canaryHasTickets && canary.tickets === 0) return { kind: "unseen", text: "no ended ticket of the canary is counted" };
  const { decision } = decideSequentially(canary, baseline, { margin, planned, most: Number.POSITIVE_INFINITY });
  if (decision !== "rollback") return { kind: "none" };
  const part = ({ successes, tickets }: Arm) => `${successes} of ${tickets}`;
  return {
    kind: "harmed",
    text: `${part(canary)} tickets of the canary succeeded, ${part(baseline)} of the others: it is shown to be worse`,
  };
}

/** Rates over time are extrapolated, so counts need not be whole. */
function armOf(ended = 0, succeeded = 0): Arm {
  const tickets = Math.max(0, Math.round(ended));
  return { tickets, successes: Math.min(tickets, Math.max(0, Math.round(succeeded))) };
}
