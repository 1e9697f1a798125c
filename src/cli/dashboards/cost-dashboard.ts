import { type Dashboard, QueryVariableBuilder, VariableRefresh } from "@grafana/grafana-foundation-sdk/dashboard";
import { buildDashboard } from "./panels.ts";

const budget = 'budget=~"$budget"';

/** *Cost and budgets*: how much, how fast, by whom, and what the gate does about it. */
export function costDashboard(): Dashboard {
  return buildDashboard({
    uid: "runbookd-cost",
    title: "Cost and budgets",
    description: "Spend of the LLM workload against its budgets, who spends it, and what admission does about it.",
    variables: [
      new QueryVariableBuilder("budget")
        .label("Budget")
        .datasource({ type: "prometheus", uid: "${datasource}" })
        .query({ query: "label_values(llm_budget_limit_usd, budget)", refId: "budget" })
        .definition("label_values(llm_budget_limit_usd, budget)")
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .includeAll(true)
        .allValue(".+")
        .multi(true),
    ],
    rows: [
      {
        title: "Budgets",
        panels: [
          {
            title: "Used",
            description: "Spent and committed, as a share of the limit. At 100 % admission stops.",
            unit: "percentunit",
            show: "number",
            alarmAt: 1,
            width: 6,
            queries: [
              {
                expr: `(max by (budget) (llm_budget_spent_usd{${budget}}) + on (budget) max by (budget) (llm_budget_committed_usd{${budget}})) / on (budget) max by (budget) (llm_budget_limit_usd{${budget}})`,
                legend: "{{budget}}",
              },
            ],
          },
          {
            title: "Burn over one hour",
            description: "Spend rate divided by what the plan allows. 1 is on plan; LLMBudgetBurnFast fires above 14.4.",
            unit: "short",
            show: "number",
            alarmAt: 14.4,
            width: 6,
            queries: [{ expr: `budget:llm_budget_burn:ratio1h{${budget}}`, legend: "{{budget}}" }],
          },
          {
            title: "Committed",
            description: "Reserved by tickets that run now; it settles or is released.",
            unit: "currencyUSD",
            show: "number",
            width: 6,
            queries: [{ expr: `max by (budget) (llm_budget_committed_usd{${budget}})`, legend: "{{budget}}" }],
          },
          {
            title: "Period left",
            description: "Until the budget starts again.",
            unit: "s",
            show: "number",
            width: 6,
            queries: [{ expr: `max by (budget) (llm_budget_period_remaining_seconds{${budget}})`, legend: "{{budget}}" }],
          },
          {
            title: "Spent against limit",
            description: "The settled spend of the period and its limit.",
            unit: "currencyUSD",
            show: "curve",
            queries: [
              { expr: `max by (budget) (llm_budget_spent_usd{${budget}})`, legend: "{{budget}} spent" },
              { expr: `max by (budget) (llm_budget_limit_usd{${budget}})`, legend: "{{budget}} limit" },
            ],
          },
          {
            title: "Burn by window",
            description: "The windows that the alerts compare: a page needs a long and a short one at once.",
            unit: "short",
            show: "curve",
            alarmAt: 14.4,
            queries: [
              { expr: `budget:llm_budget_burn:ratio5m{${budget}}`, legend: "{{budget}} 5m" },
              { expr: `budget:llm_budget_burn:ratio30m{${budget}}`, legend: "{{budget}} 30m" },
              { expr: `budget:llm_budget_burn:ratio1h{${budget}}`, legend: "{{budget}} 1h" },
              { expr: `budget:llm_budget_burn:ratio6h{${budget}}`, legend: "{{budget}} 6h" },
            ],
          },
          {
            title: "Spend rate against allowance",
            description: "US dollars per hour that flow, and that the plan allows at this hour of the week.",
            unit: "currencyUSD",
            show: "curve",
            queries: [
              {
                expr: `sum by (budget) (rate(llm_cost_usd_total{${budget}}[$__rate_interval])) * 3600`,
                legend: "{{budget}} spends per hour",
              },
              { expr: `max by (budget) (llm_budget_allowance_usd_per_second{${budget}}) * 3600`, legend: "{{budget}} may per hour" },
            ],
          },
        ],
      },
      {
        title: "Who spends",
        panels: [
          {
            title: "Cost by prompt",
            description: "US dollars per hour of the ten dearest prompts.",
            unit: "currencyUSD",
            show: "curve",
            queries: [
              { expr: `topk(10, sum by (prompt) (rate(llm_cost_usd_total{${budget}}[$__rate_interval]))) * 3600`, legend: "{{prompt}}" },
            ],
          },
          {
            title: "Cost by model",
            description: "US dollars per hour by provider and model.",
            unit: "currencyUSD",
            show: "curve",
            queries: [
              {
                expr: `sum by (provider, model) (rate(llm_cost_usd_total{${budget}}[$__rate_interval])) * 3600`,
                legend: "{{provider}}/{{model}}",
              },
            ],
          },
          {
            title: "Requests by outcome",
            description: "A retry storm shows here first: requests rise, finished tickets do not.",
            unit: "reqps",
            show: "curve",
            queries: [{ expr: "sum by (outcome) (rate(llm_requests_total[$__rate_interval]))", legend: "{{outcome}}" }],
          },
          {
            title: "Input tokens by cache",
            description: "What was read from the provider's cache, written into it, and paid in full.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (token_cache) (rate(llm_input_tokens_total[$__rate_interval]))", legend: "{{token_cache}}" }],
          },
          {
            title: "Output tokens",
            description: "Tokens per second by what they were for.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (token_phase) (rate(llm_output_tokens_total[$__rate_interval]))", legend: "{{token_phase}}" }],
          },
          {
            title: "Request duration",
            description: "Median and 95th percentile of a model request.",
            unit: "s",
            show: "curve",
            queries: [
              {
                expr: "histogram_quantile(0.5, sum by (le) (rate(gen_ai_client_operation_duration_seconds_bucket[$__rate_interval])))",
                legend: "median",
              },
              {
                expr: "histogram_quantile(0.95, sum by (le) (rate(gen_ai_client_operation_duration_seconds_bucket[$__rate_interval])))",
                legend: "95th percentile",
              },
            ],
          },
          {
            title: "Estimated and in conflict",
            description:
              "Spend that stands for unknown costs, usage that could not be read by its nearest shape, and reports that contradict earlier ones. All should be nothing.",
            unit: "short",
            show: "curve",
            queries: [
              { expr: "max by (budget) (llm_budget_estimated_usd)", legend: "USD estimated of {{budget}}" },
              {
                expr: "sum by (provider, shape, reason) (increase(llm_usage_unreadable_total[1h]))",
                legend: "unreadable {{provider}} {{shape}} {{reason}}",
              },
              {
                expr: "sum by (provider, budget, reason) (increase(llm_usage_conflict_total[1h]))",
                legend: "conflict {{provider}} {{budget}} {{reason}}",
              },
            ],
          },
          {
            title: "Not in the numbers",
            description:
              "Usage without a price, reports that contradict themselves or were refused, labels beyond their cap. All should be nothing.",
            unit: "short",
            show: "curve",
            queries: [
              {
                expr: "sum by (provider, model) (increase(llm_unpriced_tokens_total[1h]))",
                legend: "unpriced tokens {{provider}}/{{model}}",
              },
              { expr: "sum by (reason) (increase(llm_usage_anomaly_total[1h]))", legend: "anomaly {{reason}}" },
              { expr: "sum by (reason) (increase(llm_usage_refused_total[1h]))", legend: "refused {{reason}}" },
              { expr: "sum by (label) (increase(llm_label_overflow_total[1h]))", legend: "overflow of {{label}}" },
            ],
          },
        ],
      },
      {
        title: "Tickets and admission",
        panels: [
          {
            title: "Tickets by state",
            description: "Queued and running tickets of each queue.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (queue, state) (llm_batch_tickets)", legend: "{{queue}} {{state}}" }],
          },
          {
            title: "Tickets finished",
            description: "Per minute, by outcome.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (outcome) (rate(llm_tickets_finished_total[$__rate_interval])) * 60", legend: "{{outcome}}" }],
          },
          {
            title: "Gate and limits",
            description: "1 while a queue's gate is closed, and the number of tickets that may run at once.",
            unit: "short",
            show: "curve",
            queries: [
              { expr: "max by (queue) (llm_queue_paused)", legend: "{{queue}} paused" },
              { expr: "max by (queue) (llm_queue_concurrency_limit)", legend: "{{queue}} limit" },
            ],
          },
          {
            title: "Cost of a ticket",
            description: "Median and 90th percentile, failed attempts included.",
            unit: "currencyUSD",
            show: "curve",
            queries: [
              {
                expr: "histogram_quantile(0.5, sum by (le, queue) (rate(llm_ticket_cost_usd_bucket[$__rate_interval])))",
                legend: "{{queue}} median",
              },
              {
                expr: "histogram_quantile(0.9, sum by (le, queue) (rate(llm_ticket_cost_usd_bucket[$__rate_interval])))",
                legend: "{{queue}} 90th percentile",
              },
            ],
          },
          {
            title: "Attempts per ticket",
            description: "The mean; 1 is health, more is money.",
            unit: "short",
            show: "curve",
            queries: [
              {
                expr: "sum by (queue) (rate(llm_ticket_attempts_sum[$__rate_interval])) / sum by (queue) (rate(llm_ticket_attempts_count[$__rate_interval]))",
                legend: "{{queue}}",
              },
            ],
          },
          {
            title: "Dead and stalled",
            description: "Tickets that used up their attempts in the last hour, and running ones without a heartbeat.",
            unit: "short",
            show: "curve",
            queries: [
              { expr: "sum by (queue, failure_class) (increase(llm_ticket_dead_letter_total[1h]))", legend: "{{queue}} {{failure_class}}" },
              { expr: "sum by (queue, stage) (llm_tickets_stalled)", legend: "{{queue}} stalled in {{stage}}" },
            ],
          },
        ],
      },
    ],
  });
}
