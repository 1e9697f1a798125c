import { z } from "zod";
import { createSystemClock } from "../../core/clock.ts";
import { connectRedis } from "../../redis/connection.ts";
import { createTicketStore } from "../../redis/workload-tickets.ts";
import { createRunbookdClient } from "../../sdk/client.ts";
import type { Ticket, TicketProcessor } from "../../workload/ticket.ts";
import { startTicketWorker } from "../../../workers/ticket.ts";
import { assignments, standingText, type Assignment } from "../workload/assignments.ts";
import { createModelClient, type ModelReply } from "../workload/model-client.ts";
import { ticketOf } from "../workload/tickets.ts";

/*
 * A process of the application in the batch scenario: a ticket worker that asks runbookd over HTTP and the model server for every turn.
 * It ends when the process that started it closes the message channel.
 */

const settings = z
  .object({
    REDIS_URL: z.string(),
    RUNBOOKD_URL: z.string(),
    RUNBOOKD_TOKEN: z.string(),
    MODEL_URL: z.string(),
    DEMO_QUEUE: z.string(),
    DEMO_CONCURRENCY: z.coerce.number(),
  })
  .parse(process.env);

/** Three calls are the whole of a ticket here. */
const steps: readonly Assignment[] = assignments.filter(({ operation }) => ["classify", "test", "write"].includes(operation));
/** What one turn costs at most; reserved before it. */
const estimateMicroUsd = 40_000;
/** Tries of one call while the provider asks for patience. */
const patience = 8;

const clock = createSystemClock();
const drain = new AbortController();
const abort = new AbortController();
const model = createModelClient(settings.MODEL_URL, "sk-ant-api03-demo");
const client = createRunbookdClient({
  url: settings.RUNBOOKD_URL,
  token: settings.RUNBOOKD_TOKEN,
  onUsageLost: ({ reports, why }) => console.error(`${reports.length} usage reports were lost: ${why}`),
});

const payload = z.object({ number: z.coerce.number().int() });
/** Calls that are answered; a turn that failed answered none. */
const work = z.object({ answers: z.int() }).nullable();

const processor: TicketProcessor = async (ticket, { turn, attempt, leaseId, signal }) => {
  const { number } = payload.parse(ticket.payload);
  const answered = work.parse(ticket.saved)?.answers ?? 0;
  const step = steps[answered];
  if (step === undefined) return { kind: "done", saved: ticket.saved };
  const { title, body } = ticketOf(number);
  const request = {
    model: step.model,
    max_tokens: step.maxTokens,
    system: [{ type: "text" as const, text: standingText(step.prompt), cache_control: { type: "ephemeral" as const } }],
    messages: [{ role: "user" as const, content: [{ type: "text" as const, text: `${title}\n\n${body}\n\n${step.instruction}` }] }],
    metadata: { user_id: ticket.id },
  };
  for (let tries = 1; ; tries += 1) {
    const reply = await model.ask(request, signal);
    report(ticket, step, reply, { turn, attempt, leaseId });
    // What was billed is told before anything else, so that a killed process owes one call at most per ticket in hand.
    await client.flush();
    if (reply.kind === "answer") {
      const saved = { answers: answered + 1 };
      return saved.answers === steps.length ? { kind: "done", saved } : { kind: "continue", saved, estimateMicroUsd };
    }
    if (reply.retryAfterSeconds === undefined || tries >= patience) {
      return {
        kind: "failed",
        saved: ticket.saved,
        reason: `${reply.outcome}: ${reply.message}`,
        retry: reply.outcome !== "error",
        estimateMicroUsd,
      };
    }
    await clock.sleep(reply.retryAfterSeconds * 200, signal);
  }
};

function report(ticket: Ticket, step: Assignment, reply: ModelReply, place: { turn: number; attempt: number; leaseId: string }): void {
  const { budget, queue, batchId, id: ticketId } = ticket;
  client.reportUsage({
    id: reply.requestId,
    at: clock.now(),
    provider: "anthropic",
    model: reply.kind === "answer" ? reply.model : step.model,
    operation: step.operation,
    prompt: step.prompt,
    budget,
    queue,
    ticketId,
    ...(batchId === undefined ? {} : { batchId }),
    ...place,
    latencyMs: reply.latencyMs,
    ...(reply.kind === "answer"
      ? { usage: reply.usage, shape: "anthropic-messages" as const, outcome: "ok" as const }
      : { outcome: reply.outcome, error: reply.message.slice(0, 200) }),
  });
}

const redis = connectRedis({ url: settings.REDIS_URL }, "worker");
const worker = startTicketWorker(
  { store: createTicketStore({ redis, clock }), gate: client, processor, clock },
  {
    redis,
    queue: settings.DEMO_QUEUE,
    concurrency: settings.DEMO_CONCURRENCY,
    drain: drain.signal,
    abort: abort.signal,
    lockMs: 3000,
    stalledCheckMs: 1000,
    log: {
      worked: () => undefined,
      failed: (ticketId, error) => console.error(`${ticketId}: ${error instanceof Error ? error.message : String(error)}`),
      queueError: (error) => console.error(`queue: ${error.message}`),
    },
  },
);

const end = async () => {
  drain.abort(new Error("The demo ends."));
  abort.abort(new Error("The demo ends."));
  await worker.close();
  await client.close();
  redis.disconnect();
};
let ending: Promise<void> | undefined;
const endOnce = () => {
  ending ??= end().finally(() => process.exit());
};
process.on("disconnect", endOnce);
process.on("SIGTERM", endOnce);
process.on("SIGINT", endOnce);
