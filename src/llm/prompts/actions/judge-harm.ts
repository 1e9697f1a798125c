import type { PrometheusReader } from "../../../core/prometheus.ts";
import { type Arm, decideSequentially } from "../../rollouts/sequential-decision.ts";
import type { RolloutFacts } from "./rollout-ramp.ts";

/** What may show that a canary harms. */
export interface HarmQueries {
  /** Each must answer nothing. */
  readonly harm: readonly string[];
  /** Ended tickets of the canary, those of them that succeeded, and both of the baseline; absent: not asked. */
  readonly outcomes: readonly string[] | undefined;
}

/** The canary's tickets may succeed less often by less than this. */
const margin = 0.1;
/** Tickets of both arms for which the comparison is sharpest. */
const planned = 600;

/**
 * Looks for harm. Outcomes are compared by a sequence of intervals that holds at all looks at once, so that looking every few minutes takes no equal version back:
 * a fixed threshold would in one of five cases. What cannot be seen is said so and is no harm.
 */
export async function judgeHarm(
  { harm, outcomes }: HarmQueries,
  observed: { readonly canaryHasTickets: boolean },
  { prometheus, signal }: { readonly prometheus: PrometheusReader; readonly signal: AbortSignal },
): Promise<RolloutFacts["harm"]> {
  const queries = [...harm, ...(outcomes ?? [])];
  const answers = await Promise.all(queries.map((query) => prometheus.query(query, { signal })));
  const counts: number[] = [];
  for (const [index, answer] of answers.entries()) {
    if (answer.kind === "unavailable") return { kind: "unseen", text: `Prometheus could not be asked: ${answer.reason}` };
    if (index >= harm.length) counts.push(answer.samples.reduce((sum, { value }) => sum + value, 0));
    else if (answer.samples.length > 0)
      return { kind: "harmed", text: `this must answer nothing and does: ${(queries[index] ?? "").slice(0, 200)}` };
  }
  return outcomes === undefined ? { kind: "none" } : judgeOutcomes(counts, observed.canaryHasTickets);
}

function judgeOutcomes(counts: readonly number[], canaryHasTickets: boolean): RolloutFacts["harm"] {
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
  const tickets = Number.isFinite(ended) ? Math.max(0, Math.round(ended)) : 0;
  return { tickets, successes: Math.min(tickets, Number.isFinite(succeeded) ? Math.max(0, Math.round(succeeded)) : 0) };
}
