import { expect, it } from "@jest/globals";
import { newTicketSchema } from "../../../packages/sdk/src/wire/tickets.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryTickets } from "../../../test/fakes/memory-tickets.ts";
import { createExposition, type Exposition } from "../../platform/telemetry/exposition.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { declareTicketMetrics, observeTickets } from "./metrics.ts";

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
  await tickets.claim("T-2", "a");
  await tickets.write("T-2", "a", { state: "running" });
  expect(await lines()).toEqual(['llm_batch_tickets{queue="fast",state="running"} 1']);
});

it("counts a ticket as stalled in the stage of its last sign of life, until it shows another", async () => {
  const { metrics, tickets, clock } = await open();
  await tickets.claim("T-2", "a");
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
