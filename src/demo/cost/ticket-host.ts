import { z } from "zod";
import { createSystemClock } from "../../core/clock.ts";
import { connectRedis } from "../../redis/connection.ts";
import { createTicketStore } from "../../redis/workload-tickets.ts";
import { createRunbookdClient } from "../../sdk/client.ts";
import type { TicketProcessor } from "../../workload/ticket.ts";
import { startTicketWorker } from "../../../workers/ticket.ts";
import { createApplication, turnEstimateMicroUsd } from "../workload/application.ts";
import { createEvidenceLog } from "../workload/evidence-log.ts";
import { createModelClient } from "../workload/model-client.ts";
import { recordGate } from "../workload/recorded-gate.ts";
import { createWorkStore } from "../workload/saved-work.ts";

/*
 * The process that hosts the demo's application: a ticket worker that asks runbookd over HTTP, and a clock that hands tickets in.
 * It ends when the process that started it closes the message channel.
 */

const settings = z
  .object({
    REDIS_URL: z.string(),
    RUNBOOKD_URL: z.string(),
    RUNBOOKD_TOKEN: z.string(),
    MODEL_URL: z.string(),
    DEMO_WORK: z.string(),
    DEMO_EVIDENCE: z.string(),
    DEMO_BUDGET: z.string(),
    DEMO_QUEUE: z.string(),
    DEMO_CONCURRENCY: z.coerce.number(),
    DEMO_TICKET_EVERY_MS: z.coerce.number(),
  })
  .parse(process.env);

const clock = createSystemClock();
const now = () => clock.now();
const drain = new AbortController();
const abort = new AbortController();
const evidence = createEvidenceLog(settings.DEMO_EVIDENCE);
const client = createRunbookdClient({
  url: settings.RUNBOOKD_URL,
  token: settings.RUNBOOKD_TOKEN,
  onUsageLost: ({ reports, why }) => console.error(`${reports.length} usage reports were lost: ${why}`),
});
const application = createApplication({
  client,
  model: createModelClient(settings.MODEL_URL, "sk-ant-api03-demo"),
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

const redis = connectRedis({ url: settings.REDIS_URL }, "worker");
const worker = startTicketWorker(
  { store: createTicketStore({ redis, clock }), gate: recordGate(client, evidence, now), processor, clock },
  {
    redis,
    queue: settings.DEMO_QUEUE,
    concurrency: settings.DEMO_CONCURRENCY,
    drain: drain.signal,
    abort: abort.signal,
    log: {
      worked: () => undefined,
      failed: (ticketId, error) => console.error(`${ticketId}: ${error instanceof Error ? error.message : String(error)}`),
      queueError: (error) => console.error(`queue: ${error.message}`),
    },
  },
);

const arrival = setInterval(() => {
  application.handIn().catch((error: unknown) => console.error(`hand-in: ${error instanceof Error ? error.message : String(error)}`));
}, settings.DEMO_TICKET_EVERY_MS);

const message = z.object({ release: z.enum(["1.4.0", "1.5.0"]) });
process.on("message", (value) => application.deploy(message.parse(value).release));

const end = async () => {
  clearInterval(arrival);
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
