import { z } from "zod";
import { createSystemClock } from "../../src/core/clock.ts";
import type { TicketProcessor } from "../../src/llm/tickets/ticket.ts";
import { hostTickets, ticketSettings } from "../host-tickets.ts";
import { createApplication, turnEstimateMicroUsd } from "../workload/application.ts";
import { createEvidenceLog } from "../workload/evidence-log.ts";
import { reachSystem } from "../workload/host-process.ts";
import { recordGate } from "../workload/recorded-gate.ts";
import { createWorkStore } from "../workload/saved-work.ts";

/*
 * The process that hosts the demo's application: a ticket worker that asks runbookd over HTTP, and a clock that hands tickets in.
 * It ends when the process that started it closes the message channel.
 */

const settings = z
  .object({
    ...ticketSettings,
    DEMO_WORK: z.string(),
    DEMO_EVIDENCE: z.string(),
    DEMO_BUDGET: z.string(),
    DEMO_CONCURRENCY: z.coerce.number(),
    DEMO_TICKET_EVERY_MS: z.coerce.number(),
  })
  .parse(process.env);

const clock = createSystemClock();
const now = () => clock.now();
const evidence = createEvidenceLog(settings.DEMO_EVIDENCE);
const { client, model } = reachSystem(settings);
const application = createApplication({
  client,
  model,
  store: createWorkStore(settings.DEMO_WORK),
  evidence,
  budget: settings.DEMO_BUDGET,
  queue: settings.DEMO_QUEUE,
  now,
  sleep: (ms, signal) => clock.sleep(ms, signal),
});

const payload = z.object({ number: z.int() });
const processor: TicketProcessor = async (ticket, { turn, attempt, leaseId, signal }) => {
  const { number } = payload.parse(ticket.payload);
  const taken = await application.takeTurn({ number, turn, attempt, leaseId, batchId: ticket.batchId, signal });
  // The work itself is in the application's own store; the ticket carries only how far it is.
  const saved = { done: taken.done };
  switch (taken.kind) {
    case "continue":
      return { kind: "continue", saved, estimateMicroUsd: turnEstimateMicroUsd };
    case "done":
      return { kind: "done", saved };
    case "failed":
      return { kind: "failed", saved, reason: taken.why, retry: taken.retry, estimateMicroUsd: turnEstimateMicroUsd };
  }
};

const arrival = setInterval(() => {
  application.submitTicket().catch((error: unknown) => console.error(`hand-in: ${error instanceof Error ? error.message : String(error)}`));
}, settings.DEMO_TICKET_EVERY_MS);

const message = z.object({ release: z.enum(["1.4.0", "1.5.0"]) });
process.on("message", (value) => {
  application
    .deploy(message.parse(value).release)
    .catch((error: unknown) => console.error(`deploy: ${error instanceof Error ? error.message : String(error)}`));
});

hostTickets({
  settings,
  client,
  gate: recordGate(client, evidence, now),
  processor,
  concurrency: settings.DEMO_CONCURRENCY,
  stop: () => clearInterval(arrival),
});
