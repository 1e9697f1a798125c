import { describeUnseen, type PrometheusReader } from "../../core/prometheus.ts";
import { askConclusively } from "../../runbooks/expressions/ask-conclusively.ts";
import type { RolloutGuard } from "./next-rollout-move.ts";

/** Prometheus keeps these two only for alerts that are active, so their absence is an answer. */
const existsOnlyWhileFiring = /^ALERTS(?:_FOR_STATE)?\{/;

/** Asks every guard; harm wins over what cannot be seen. */
export async function checkGuards(
  guards: readonly string[],
  { prometheus, signal }: { readonly prometheus: PrometheusReader; readonly signal: AbortSignal },
): Promise<RolloutGuard> {
  const checks = await Promise.all(guards.map(async (query) => checkGuard(query, prometheus, signal)));
  return checks.find(({ kind }) => kind === "broken") ?? checks.find(({ kind }) => kind === "unseen") ?? { kind: "clear" };
}

/** An empty answer shows that there is no harm only when the series that the query reads exist. */
async function checkGuard(query: string, prometheus: PrometheusReader, signal: AbortSignal): Promise<RolloutGuard> {
  const answer = await askConclusively(query, {
    ask: async (promql, at) => prometheus.query(promql, { signal, ...(at !== undefined && { at }) }),
    mayBeMissing: (selector) => existsOnlyWhileFiring.test(selector),
  });
  if (answer.kind === "missing") return { kind: "unseen", text: answer.reason };
  if (answer.kind !== "samples") return { kind: "unseen", text: describeUnseen(answer) };
  const shown = query.slice(0, 200);
  if (answer.samples.some(({ value }) => Number.isNaN(value))) return { kind: "unseen", text: `the answer is not a number: ${shown}` };
  if (answer.samples.length > 0) return { kind: "broken", text: `this query must return nothing and returns a series: ${shown}` };
  return { kind: "clear" };
}
