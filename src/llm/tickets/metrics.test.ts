import { expect, it } from "@jest/globals";
import { newTicketSchema } from "../../../packages/sdk/src/wire/tickets.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryTickets } from "../../../test/fakes/memory-tickets.ts";
import { createExposition, type Exposition } from "../../platform/telemetry/exposition.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { createTicketObserver, declareTicketMetrics, observeTickets } from "./metrics.ts";

const someMetrics = () => {
  const exposition = createExposition();
  return { ...exposition, ...declareUsageMetrics(exposition.registry), ...declareTicketMetrics(exposition.registry) };
};
const linesOf = async (exposition: Exposition) => (await exposition.metrics()).split("\n");

const open = async () => {
  const clock = createFakeClock(Date.UTC(2026, 0, 5));
  const metrics = someMetrics();
  const tickets = createMemoryTickets(clock);
  await tickets.add(newTicketSchema.parse({ id: "T-2", budget: "checkout", queue: "fast" }));
  observeTickets(metrics, { tickets, clock, stalledAfterMs: 120_000 });
  return { metrics, tickets, clock };
};

it("counts the tickets of a queue by state at every scrape", async () => {
  const { metrics, tickets } = await open();
  const lines = async () => (await linesOf(metrics)).filter((line) => line.startsWith("llm_batch_tickets{") && !line.endsWith(" 0"));
  expect(await linesOf(metrics)).toContain('llm_batch_tickets{queue="fast",state="running"} 0');
  expect(await lines()).toEqual(['llm_batch_tickets{queue="fast",state="queued"} 1']);
  await tickets.hold("T-2", "a");
  await tickets.write("T-2", "a", { state: "running" });
  expect(await lines()).toEqual(['llm_batch_tickets{queue="fast",state="running"} 1']);
});

it("counts a ticket as stalled in the stage of its last sign of life, until it shows another", async () => {
  const { metrics, tickets, clock } = await open();
  await tickets.hold("T-2", "a");
  await tickets.write("T-2", "a", { state: "running", stage: "implement" });
  await clock.advance(120_000);
  const lines = async () => (await linesOf(metrics)).filter((line) => line.startsWith("llm_tickets_stalled{"));
  expect(await lines()).toEqual([]);
  await clock.advance(1);
  expect(await lines()).toEqual(['llm_tickets_stalled{queue="fast",stage="implement"} 1']);
  await tickets.write("T-2", "a", { stage: "no stage of ours" });
  expect(await lines()).toEqual([]);
  await clock.advance(120_001);
  expect(await lines()).toEqual(['llm_tickets_stalled{queue="fast",stage="other"} 1']);
});

it("counts an ended ticket with its cost, duration and attempts", async () => {
  const metrics = someMetrics();
  const ticket = {
    ticketId: "T",
    budget: "checkout",
    queue: "fast",
    variant: "baseline",
    costMicroUsd: 20_000,
    durationMs: 2000,
    attempts: 2,
  };
  const observer = createTicketObserver(metrics);
  observer.finished({ ...ticket, outcome: "succeeded" });
  observer.finished({ ...ticket, outcome: "dead", failureClass: "the model said: sk-secret" });
  const lines = await linesOf(metrics);
  expect(lines).toContain('llm_tickets_finished_total{queue="fast",variant="baseline",outcome="succeeded"} 1');
  expect(lines).toContain('llm_ticket_cost_usd_sum{queue="fast",variant="baseline",outcome="succeeded"} 0.02');
  expect(lines).toContain('llm_ticket_dead_letter_total{queue="fast",failure_class="other"} 1');
  observer.finished({ ...ticket, outcome: "dead", failureClass: "context_overflow" });
  expect(await linesOf(metrics)).toContain('llm_ticket_dead_letter_total{queue="fast",failure_class="context_overflow"} 1');
});
