import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { buildDashboard } from "./panels.ts";

/** *Batches and tickets*: what waits and runs, how tickets end and what they cost, and what lies at the providers' batch interfaces. */
export function batchesDashboard(): Dashboard {
  return buildDashboard({
    uid: "runbookd-batches",
    title: "Batches and tickets",
    description:
      "Tickets of the LLM workload by state, how they end, what they take, and batches at the providers until they are reconciled.",
    rows: [
      {
        title: "Now",
        panels: [
          {
            title: "Open tickets",
            description: "Queued, waiting and running, in all queues.",
            unit: "short",
            show: "number",
            queries: [{ expr: 'sum(llm_batch_tickets{state=~"queued|waiting|running"})', legend: "" }],
          },
          {
            title: "Running",
            description: "Tickets in the hands of a worker.",
            unit: "short",
            show: "number",
            queries: [{ expr: 'sum(llm_batch_tickets{state="running"})', legend: "" }],
          },
          {
            title: "Failed in an hour",
            description:
              "Share of the tickets that ended in the last hour and failed. LLMBatchFailureRatio fires above 20 % once 20 have ended.",
            unit: "percentunit",
            show: "number",
            alarmAt: 0.2,
            queries: [
              {
                expr: '(sum(increase(llm_tickets_finished_total{outcome=~"failed|dead"}[1h])) or vector(0)) / sum(increase(llm_tickets_finished_total[1h]))',
                legend: "",
              },
            ],
          },
          {
            title: "Paused queues",
            description: "Queues whose every budget has its gate closed.",
            unit: "short",
            show: "number",
            alarmAt: 1,
            queries: [{ expr: "sum(llm_queue_paused)", legend: "" }],
          },
          {
            title: "Results that wait",
            description:
              "How long the results of a provider batch have waited. Providers delete them; LLMBatchUnreconciled fires after 25 hours.",
            unit: "s",
            show: "number",
            alarmAt: 90_000,
            queries: [
              {
                expr: "max(time() - (llm_provider_batch_oldest_unreconciled_timestamp_seconds > 0)) or max(llm_provider_batch_oldest_unreconciled_timestamp_seconds)",
                legend: "",
              },
            ],
          },
          {
            title: "Ours against the provider's cost",
            description: "The largest difference at any provider. LLMProviderCostDiffers fires above 2 %.",
            unit: "percentunit",
            show: "number",
            alarmAt: 0.02,
            queries: [{ expr: "max(abs(llm_provider_reconciliation_delta_ratio))", legend: "" }],
          },
        ],
      },
      {
        title: "Tickets",
        panels: [
          {
            title: "By state",
            description: "A queue that holds tickets and finishes none is stalled.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (queue, state) (llm_batch_tickets)", legend: "{{queue}} {{state}}" }],
          },
          {
            title: "Ended",
            description: "Per minute, by outcome.",
            unit: "short",
            show: "curve",
            queries: [
              {
                expr: "sum by (queue, outcome) (rate(llm_tickets_finished_total[$__rate_interval])) * 60",
                legend: "{{queue}} {{outcome}}",
              },
            ],
          },
          {
            title: "Tickets at once",
            description: "What runs, and what budgets and batches permit; the permitted number falls while a provider refuses.",
            unit: "short",
            show: "curve",
            queries: [
              { expr: 'sum by (queue) (llm_batch_tickets{state="running"})', legend: "{{queue}} running" },
              { expr: "max by (queue) (llm_queue_concurrency_limit)", legend: "{{queue}} permitted" },
            ],
          },
          {
            title: "Time of a ticket",
            description: "Median and 90th percentile from the first admission to the end.",
            unit: "s",
            show: "curve",
            queries: [
              {
                expr: "histogram_quantile(0.5, sum by (le, queue) (rate(llm_ticket_duration_seconds_bucket[$__rate_interval])))",
                legend: "{{queue}} median",
              },
              {
                expr: "histogram_quantile(0.9, sum by (le, queue) (rate(llm_ticket_duration_seconds_bucket[$__rate_interval])))",
                legend: "{{queue}} 90th percentile",
              },
            ],
          },
          {
            title: "Cost of a ticket",
            description: "The mean by outcome; what failed costs too.",
            unit: "currencyUSD",
            show: "curve",
            queries: [
              {
                expr: "sum by (queue, outcome) (rate(llm_ticket_cost_usd_sum[$__rate_interval])) / sum by (queue, outcome) (rate(llm_ticket_cost_usd_count[$__rate_interval]))",
                legend: "{{queue}} {{outcome}}",
              },
            ],
          },
          {
            title: "Requests refused",
            description: "Share of the requests that were answered 429. A batch halves its concurrency above 5 %.",
            unit: "percentunit",
            show: "curve",
            alarmAt: 0.05,
            queries: [
              {
                expr: '(sum by (provider) (rate(llm_requests_total{outcome="rate_limited"}[$__rate_interval])) or sum by (provider) (rate(llm_requests_total[$__rate_interval])) * 0) / sum by (provider) (rate(llm_requests_total[$__rate_interval]))',
                legend: "{{provider}}",
              },
            ],
          },
          {
            title: "Dead letters",
            description: "Tickets that used up their attempts in the last hour, by why.",
            unit: "short",
            show: "curve",
            queries: [
              { expr: "sum by (queue, failure_class) (increase(llm_ticket_dead_letter_total[1h]))", legend: "{{queue}} {{failure_class}}" },
            ],
          },
          {
            title: "Stalled",
            description: "Tickets that told a stage and show no sign of life, by stage.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (queue, stage) (llm_tickets_stalled)", legend: "{{queue}} {{stage}}" }],
          },
        ],
      },
      {
        title: "Batches at providers",
        panels: [
          {
            title: "Requests that are not settled",
            description:
              "`ready` is to be sent, `submitting` is being sent or its answer was lost, `submitted` lies at the provider, `paused` waits for a person.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "max by (provider, state) (llm_provider_batch_requests)", legend: "{{provider}} {{state}}" }],
          },
          {
            title: "Longest wait for results",
            description: "Since the provider batch ended whose results wait longest; nothing while none waits.",
            unit: "s",
            show: "curve",
            queries: [
              {
                expr: "time() - (max by (provider) (llm_provider_batch_oldest_unreconciled_timestamp_seconds) > 0) or max by (provider) (llm_provider_batch_oldest_unreconciled_timestamp_seconds)",
                legend: "{{provider}}",
              },
            ],
          },
          {
            title: "Cost compared",
            description: "Ours minus the provider's, as a share of the provider's. Within 2 % the two agree.",
            unit: "percentunit",
            show: "curve",
            queries: [{ expr: "max by (provider) (llm_provider_reconciliation_delta_ratio)", legend: "{{provider}}" }],
          },
        ],
      },
    ],
  });
}
