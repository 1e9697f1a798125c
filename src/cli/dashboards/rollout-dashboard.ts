import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { buildDashboard } from "./panels.ts";

/** *Model rollout*: how far each rollout is, what its counts show against the margin, whether its split and its followers can be trusted. */
export function rolloutDashboard(): Dashboard {
  return buildDashboard({
    uid: "runbookd-rollout",
    title: "Model rollout",
    description:
      "Share, quality and cost of each rollout of a model, prompt or flag, with the intervals that decide; split, followers and retirement dates.",
    rows: [
      {
        title: "Now",
        panels: [
          {
            title: "Live rollouts",
            description: "Rollouts that have a share of new tickets now.",
            unit: "short",
            show: "number",
            queries: [{ expr: "count(llm_rollout_step_ratio > 0) or vector(0)", legend: "" }],
          },
          {
            title: "Share of the canary",
            description: "Share of new tickets that gets the new variant, by rollout.",
            unit: "percentunit",
            show: "number",
            queries: [{ expr: "max by (rollout) (llm_rollout_step_ratio)", legend: "{{rollout}}" }],
          },
          {
            title: "Canary tickets spent",
            description: "Tickets that met the new variant, by rollout. A worse variant should be found with few of them.",
            unit: "short",
            show: "number",
            queries: [{ expr: 'sum by (rollout) (llm_rollout_tickets{arm="canary"})', legend: "{{rollout}}" }],
          },
          {
            title: "Impossible assignments",
            description:
              "Tickets in an arm that the hash of their id forbids, in the last hour. An application assigns them by another rule.",
            unit: "short",
            show: "number",
            queries: [{ expr: "sum(increase(llm_rollout_misassigned_total[1h]))", legend: "" }],
            alarmAt: 1,
          },
        ],
      },
      {
        title: "What the counts show",
        panels: [
          {
            title: "Quality, canary less baseline",
            description:
              "Difference of mean quality with the interval that holds at every look. A lower end above minus the margin permits a larger share.",
            unit: "percentunit",
            show: "curve",
            queries: [{ expr: 'llm_rollout_effect{metric="quality"}', legend: "{{rollout}}, {{bound}}" }],
          },
          {
            title: "Cost of a success, canary to baseline",
            description: "Ratio with its interval. A lower end above the limit takes the rollout back.",
            unit: "short",
            show: "curve",
            queries: [{ expr: 'llm_rollout_effect{metric="cost"}', legend: "{{rollout}}, {{bound}}" }],
          },
          {
            title: "Share over time",
            description: "Share of new tickets that gets the new variant.",
            unit: "percentunit",
            show: "curve",
            queries: [{ expr: "max by (rollout) (llm_rollout_step_ratio)", legend: "{{rollout}}" }],
          },
        ],
      },
      {
        title: "Whether it can be trusted",
        panels: [
          {
            title: "Split",
            description: "How well the tickets are split as configured. Below 0.001 the split is broken, and no verdict counts.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "min by (rollout) (llm_rollout_srm_p_value)", legend: "{{rollout}}" }],
          },
          {
            title: "Followers of each route",
            description:
              "Processes that read a route within the last minute, by whether they have its newest version. One without it ignores a roll-back.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (route, state) (llm_route_followers)", legend: "{{route}}, {{state}}" }],
          },
          {
            title: "Tickets by arm and state",
            description: "Tickets that each arm has counted.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (rollout, arm, state) (llm_rollout_tickets)", legend: "{{rollout}}, {{arm}}, {{state}}" }],
          },
        ],
      },
      {
        title: "Models",
        panels: [
          {
            title: "Weight of each model",
            description: "Share of new tickets that each route gives to each model.",
            unit: "percentunit",
            show: "curve",
            queries: [{ expr: "max by (rule, model) (llm_route_weight_ratio)", legend: "{{rule}}: {{model}}" }],
          },
          {
            title: "Time until retirement",
            description: "Time until the provider retires a model that a route gives tickets to.",
            unit: "s",
            show: "curve",
            queries: [
              { expr: "min by (provider, model) (llm_model_retirement_timestamp_seconds) - time()", legend: "{{provider}}/{{model}}" },
            ],
          },
        ],
      },
    ],
  });
}
