import type { Json } from "../../packages/sdk/src/wire/json.ts";

const minute = 60_000;

const row = (prompt: string, operation: string, [costUsd, baselineUsd, share]: readonly [number, number, number], rest: object) => ({
  prompt,
  operation,
  cost_usd: costUsd,
  baseline_usd: baselineUsd,
  change_usd: Math.round((costUsd - baselineUsd) * 100) / 100,
  share,
  ...rest,
});
const factor = (name: string, changeUsd: number, share: number, times: number) => ({ factor: name, change_usd: changeUsd, share, times });
const attempts = (now: number, before: number) => ({ attempts_per_ticket: now, baseline_attempts_per_ticket: before });

/** What `rank-operations` says of the hour before `to`: the plans of one prompt are tried again and again since a deploy. */
export function aCostRanking(to: number): { readonly [name: string]: Json } {
  return {
    budget: "checkout",
    verdict: "spike",
    sentence: "operation plan of prompt implement explains 97.4 % of the rise, mostly through attempts per ticket.",
    culprit: { prompt: "implement", operation: "plan", share: 0.91, share_of_rise: 0.974, factor: "attempts_per_ticket" },
    rows: [
      row("implement", "plan", [10.22, 0.41, 0.91], { ...attempts(7.8, 1.1), factor: "attempts_per_ticket" }),
      row("review", "summarise", [0.71, 0.48, 0.063], { ...attempts(1, 1), factor: "tickets" }),
      row("triage", "classify", [0.3, 0.33, 0.027], attempts(1, 1)),
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
      factor("attempts_per_ticket", 8.68, 0.96, 22.95),
      factor("tokens_per_turn", 0.6, 0.066, 1.24),
      factor("tickets", -0.24, -0.026, 0.917),
      factor("price", 0, 0, 1),
    ],
    price_sources: [
      "anthropic/claude-sonnet-4-5 since 2026-01-01: https://prices.example/claude, September 2026",
      "openai/gpt-4o since 2024-10-01: https://prices.example/openai, October 2026",
    ],
    factor_compared_with: "earlier",
    began_at: to - 43 * minute,
    coincides: [{ kind: "deploy", ref: "release 1.5.0", by: "ci", at: to - 44 * minute, score: 0.61 }],
    advice: "Tickets are tried again and again: find what refuses their results, and allow one attempt each until then.",
    controls: {
      scale: 0.5,
      max_attempts: 1,
      predicted_per_hour_usd: 0.83,
      because: "With one attempt per ticket the same work costs $0.83 an hour, and the plan allows $0.42, so 50 % of the volume goes on.",
    },
    from: to - 60 * minute,
    to,
  };
}
