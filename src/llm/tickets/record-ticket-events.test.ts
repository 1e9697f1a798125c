import { expect, it } from "@jest/globals";
import { createExposition } from "../../platform/telemetry/exposition.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { declareTicketMetrics } from "./metrics.ts";
import { createTicketEventSink } from "./record-ticket-events.ts";

it("counts an ended ticket with its cost, duration and attempts", async () => {
  const exposition = createExposition();
  const { registry } = exposition;
  const metrics = { ...declareUsageMetrics(registry), ...declareTicketMetrics(registry) };
  const ticket = {
    ticketId: "T",
    budget: "checkout",
    queue: "fast",
    variant: "baseline",
    costMicroUsd: 20_000,
    durationMs: 2000,
    attempts: 2,
  };
  const record = createTicketEventSink(metrics);
  record({ kind: "ticket_ended", ticket: { ...ticket, outcome: "succeeded" } });
  record({ kind: "ticket_ended", ticket: { ...ticket, outcome: "dead", failureClass: "the model said: sk-secret" } });
  const lines = async () => (await exposition.metrics()).split("\n");
  expect(await lines()).toContain('llm_tickets_finished_total{queue="fast",variant="baseline",outcome="succeeded"} 1');
  expect(await lines()).toContain('llm_ticket_cost_usd_sum{queue="fast",variant="baseline",outcome="succeeded"} 0.02');
  expect(await lines()).toContain('llm_ticket_dead_letter_total{queue="fast",failure_class="other"} 1');
  record({ kind: "ticket_ended", ticket: { ...ticket, outcome: "dead", failureClass: "context_overflow" } });
  expect(await lines()).toContain('llm_ticket_dead_letter_total{queue="fast",failure_class="context_overflow"} 1');
});
