import { z } from "zod";
import type { Ticket } from "../../packages/sdk/src/wire/tickets.ts";
import { createSystemClock } from "../../src/core/clock.ts";
import type { TicketProcessor } from "../../src/llm/tickets/ticket.ts";
import { hostTickets, ticketSettings } from "../host-tickets.ts";
import { type Assignment, assignments, standingText } from "../workload/assignments.ts";
import { reachSystem } from "../workload/host-process.ts";
import type { ModelResponse } from "../workload/model-client.ts";
import { ticketOf } from "../workload/tickets.ts";
import { usageOfResponse } from "../workload/usage-of-response.ts";

/*
 * A process of the application in the batch scenario: a ticket worker that asks runbookd over HTTP and the model server for every turn.
 * It ends when the process that started it closes the message channel.
 */

const settings = z.object({ ...ticketSettings, DEMO_CONCURRENCY: z.coerce.number() }).parse(process.env);

/** Three calls are the whole of a ticket here. */
const steps: readonly Assignment[] = assignments.filter(({ operation }) => ["classify", "test", "write"].includes(operation));
/** What one turn costs at most; reserved before it. */
const estimateMicroUsd = 40_000;
/** Tries of one call while the provider asks for patience. */
const pollTimeouts = 8;

const clock = createSystemClock();
const { client, model } = reachSystem(settings);

const payload = z.object({ number: z.coerce.number().int() });
/** Calls that are answered; a turn that failed answered none. */
const work = z.object({ answers: z.int() }).nullable();

const processor: TicketProcessor = async (ticket, { turn, attempt, leaseId, signal }) => {
  const parsed = payload.safeParse(ticket.payload);
  if (!parsed.success) {
    const reason = `The payload cannot be read: ${parsed.error.issues[0]?.message ?? ""}`;
    return { kind: "failed", saved: ticket.saved, reason, retry: true, unused: true, estimateMicroUsd };
  }
  const { number } = parsed.data;
  const answered = work.parse(ticket.saved)?.answers ?? 0;
  const step = steps[answered];
  if (step === undefined) return { kind: "done", saved: ticket.saved, unused: true };
  const { title, body } = ticketOf(number);
  const request = {
    model: step.model,
    max_tokens: step.maxTokens,
    system: [{ type: "text" as const, text: standingText(step.prompt), cache_control: { type: "ephemeral" as const } }],
    messages: [{ role: "user" as const, content: [{ type: "text" as const, text: `${title}\n\n${body}\n\n${step.instruction}` }] }],
    metadata: { user_id: ticket.id },
  };
  for (let tries = 1; ; tries += 1) {
    const response = await model.ask(request, signal);
    report(ticket, step, response, { turn, attempt, leaseId });
    // What was billed is told before anything else, so that a killed process owes one call at most per ticket in hand.
    await client.flush();
    if (response.kind === "answer") {
      const saved = { answers: answered + 1 };
      return saved.answers === steps.length ? { kind: "done", saved } : { kind: "continue", saved, estimateMicroUsd };
    }
    if (response.retryAfterSeconds === undefined || tries >= pollTimeouts) {
      return {
        kind: "failed",
        saved: ticket.saved,
        reason: `${response.outcome}: ${response.message}`,
        retry: response.outcome !== "error",
        estimateMicroUsd,
      };
    }
    await clock.sleep(response.retryAfterSeconds * 200, signal);
  }
};

function report(
  ticket: Ticket,
  step: Assignment,
  response: ModelResponse,
  place: { turn: number; attempt: number; leaseId: string },
): void {
  const { budget, queue, batchId, id: ticketId } = ticket;
  client.reportUsage({
    ...usageOfResponse(response, step.model, clock.now()),
    operation: step.operation,
    prompt: step.prompt,
    budget,
    queue,
    ticketId,
    ...(batchId === undefined ? {} : { batchId }),
    ...place,
  });
}

hostTickets({ settings, client, processor, concurrency: settings.DEMO_CONCURRENCY, lockMs: 3000, stalledCheckMs: 1000 });
