import { z } from "zod";
import { createSystemClock } from "../src/core/clock.ts";
import { createSystemRandom } from "../src/core/random.ts";
import { startTicketWorker, type TicketWorkerOptions } from "../src/llm/tickets/jobs.ts";
import { createQueueRecovery } from "../src/llm/tickets/redis-queue-recovery.ts";
import { createTicketStore } from "../src/llm/tickets/redis-store.ts";
import type { TicketProcessor } from "../src/llm/tickets/ticket.ts";
import { createTicketQueue } from "../src/llm/tickets/ticket-queue.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { createLog } from "../src/platform/telemetry/create-log.ts";
import { createRedaction } from "../src/platform/telemetry/redaction.ts";
import { endWithStarter, hostSettings, type Reached } from "./workload/host-process.ts";
import type { Gate } from "./workload/recorded-gate.ts";

/** The settings of every process that works on tickets. */
export const ticketSettings = { ...hostSettings, REDIS_URL: z.string(), DEMO_QUEUE: z.string() };

/** How the tickets of one queue are worked on. */
export interface TicketHost extends Pick<TicketWorkerOptions, "concurrency" | "lockMs" | "stalledCheckMs"> {
  readonly settings: { readonly [Name in keyof typeof ticketSettings]: string };
  readonly client: Reached["client"];
  /** Lets tickets begin and end; the client itself by default. */
  readonly gate?: Gate;
  readonly processor: TicketProcessor;
  /** Lines of the worker's log go to standard error; `info` has one for each turn. */
  readonly logLevel?: "info" | "warn";
  /** Called first when the process ends. */
  readonly stop?: () => void;
}

/** Works on tickets until the process ends, and ends with whoever started it: the turns that run are told to end, and usage that is left is sent. */
export function hostTickets({ settings, client, gate = client, processor, stop, logLevel = "warn", ...options }: TicketHost): void {
  const clock = createSystemClock();
  const over = new AbortController();
  const redis = connectRedis({ url: settings.REDIS_URL }, "worker");
  const queueError = (error: Error) => console.error(`queue: ${error.message}`);
  const tickets = createTicketStore({ redis, clock });
  const queue = createTicketQueue(redis, tickets, queueError);
  const worker = startTicketWorker(
    { store: tickets, gate, processor, clock },
    {
      ...options,
      redis,
      recovery: createQueueRecovery({ redis, tickets, enqueuer: queue, clock, random: createSystemRandom() }),
      queue: settings.DEMO_QUEUE,
      drain: over.signal,
      abort: over.signal,
      log: createLog({ level: logLevel, destination: process.stderr, redaction: createRedaction([]), clock }),
    },
  );
  endWithStarter(async () => {
    stop?.();
    over.abort(new Error("The demo ends."));
    await worker.close();
    await queue.close();
    await client.close();
    redis.disconnect();
  });
}
