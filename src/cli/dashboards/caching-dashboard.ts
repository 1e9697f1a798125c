import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { buildDashboard } from "./panels.ts";

const tokens = "llm_input_tokens_total";

/** *Prompt caching*: what is read from the providers' caches, what could be read, why it is not, and what that costs. */
export function cachingDashboard(): Dashboard {
  return buildDashboard({
    uid: "runbookd-caching",
    title: "Prompt caching",
    description:
      "Input tokens by what the cache did with them, the ceiling of each prompt, the reasons of misses, and the money that a layout loses.",
    rows: [
      {
        title: "Now",
        panels: [
          {
            title: "Read from the cache",
            description: "Input tokens of all prompts that were read from a provider's cache in the last hour, of all.",
            unit: "percentunit",
            show: "number",
            queries: [{ expr: `sum(increase(${tokens}{token_cache="read"}[1h])) / sum(increase(${tokens}[1h]))`, legend: "" }],
          },
          {
            title: "Lost a day",
            description: "What the layouts of all prompts cost beyond the best ones that the replay found.",
            unit: "currencyUSD",
            show: "number",
            queries: [{ expr: "sum(llm_cache_lost_usd_per_day)", legend: "" }],
          },
          {
            title: "Paid for writes",
            description:
              "Input tokens written into a cache in the last hour. Writes cost more than no cache at all; they pay when they are read.",
            unit: "short",
            show: "number",
            queries: [{ expr: `sum(increase(${tokens}{token_cache="write"}[1h]))`, legend: "" }],
          },
          {
            title: "Furthest from its ceiling",
            description: "The greatest difference between what a prompt could read and what it reads.",
            unit: "percentunit",
            show: "number",
            queries: [
              {
                expr: "max(max by (provider, model, prompt) (llm_cache_achievable_ratio) - on (provider, model, prompt) prompt:llm_cache_read:ratio1h)",
                legend: "",
              },
            ],
            alarmAt: 0.05,
          },
        ],
      },
      {
        title: "Prompts",
        panels: [
          {
            title: "Hit ratio",
            description:
              "Input tokens read from the cache, of all, over an hour. Where it stands below its ceiling a better layout is known.",
            unit: "percentunit",
            show: "curve",
            queries: [
              { expr: "prompt:llm_cache_read:ratio1h", legend: "{{prompt}} on {{model}}" },
              { expr: "max by (provider, model, prompt) (llm_cache_achievable_ratio)", legend: "{{prompt}} on {{model}}, ceiling" },
            ],
          },
          {
            title: "Input by what the cache did",
            description: "Input tokens a second: read, written, or neither.",
            unit: "short",
            show: "curve",
            queries: [{ expr: `sum by (token_cache) (rate(${tokens}[$__rate_interval]))`, legend: "{{token_cache}}" }],
          },
          {
            title: "Lost a day, by prompt",
            description:
              "What a prompt's layout costs beyond the best one that the replay found. It is zero once the better layout is out.",
            unit: "currencyUSD",
            show: "curve",
            queries: [{ expr: "max by (provider, model, prompt) (llm_cache_lost_usd_per_day)", legend: "{{prompt}} on {{model}}" }],
          },
        ],
      },
      {
        title: "Why it is missed",
        panels: [
          {
            title: "Misses by reason",
            description: "Requests a minute that missed the cache, by the reason that the provider or the counters tell.",
            unit: "short",
            show: "curve",
            queries: [
              { expr: "sum by (prompt, reason) (rate(llm_cache_miss_total[$__rate_interval])) * 60", legend: "{{prompt}}: {{reason}}" },
            ],
          },
          {
            title: "Missed tokens by reason",
            description: "Input tokens a second that could have been read, as the provider estimates them.",
            unit: "short",
            show: "curve",
            queries: [
              { expr: "sum by (prompt, reason) (rate(llm_cache_missed_tokens_total[$__rate_interval]))", legend: "{{prompt}}: {{reason}}" },
            ],
          },
          {
            title: "Cost of a request",
            description: "Cost of all priced requests of a prompt, by request: what a better layout must lower.",
            unit: "currencyUSD",
            show: "curve",
            queries: [
              {
                expr: "sum by (prompt) (rate(llm_cost_usd_total[$__rate_interval])) / sum by (prompt) (rate(llm_requests_total[$__rate_interval]))",
                legend: "{{prompt}}",
              },
            ],
          },
          {
            title: "Tickets by version",
            description: "Tickets that ended, a minute, by variant: the canary's tickets have the version that is being tried.",
            unit: "short",
            show: "curve",
            queries: [
              {
                expr: "sum by (variant, outcome) (rate(llm_tickets_finished_total[$__rate_interval])) * 60",
                legend: "{{variant}} {{outcome}}",
              },
            ],
          },
        ],
      },
    ],
  });
}
