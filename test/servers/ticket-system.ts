import type { Redis } from "ioredis";
import { createSystemClock } from "../../src/core/clock.ts";
import { createSystemRandom } from "../../src/core/random.ts";
import { createLocalGate } from "../../src/llm/budgets/local-gate.ts";
import { createBudgetLedger } from "../../src/llm/budgets/redis-store.ts";
import { startTicketWorker } from "../../src/llm/tickets/jobs.ts";
import { createFastPath } from "../../src/llm/tickets/redis-fast-path.ts";
import { createQueueRecovery } from "../../src/llm/tickets/redis-queue-recovery.ts";
import { createTicketStore } from "../../src/llm/tickets/redis-store.ts";
import type { TicketProcessor } from "../../src/llm/tickets/ticket.ts";
import { createTicketQueue } from "../../src/llm/tickets/ticket-queue.ts";
import { createRecordedLog } from "../fakes/recorded-log.ts";

/** Tickets over a real Redis, wired like the product; a lease lasts two seconds. */
export function openTicketSystem(redis: Redis) {
  const clock = createSystemClock();
  const tickets = createTicketStore({ redis, clock });
  const times = { leaseMs: 2000, minuteMs: 60_000, bucketMs: 60_000, retentionMs: 3_600_000 };
  const ledger = createBudgetLedger({ redis, clock, times, counts: tickets });
  const gate = createLocalGate({ ledger, publish: () => undefined });
  const fastPath = createFastPath({ redis, clock, times, publish: () => undefined });
  return { redis, clock, tickets, ledger, gate, fastPath };
}

/** Works on the queue `default` until the process is killed; tickets of a killed one are handed out again after about two seconds. */
export function workUntilKilled(
  { redis, clock, tickets, gate, fastPath }: ReturnType<typeof openTicketSystem>,
  concurrency: number,
  processor: TicketProcessor,
): void {
  const never = new AbortController().signal;
  startTicketWorker(
    { store: tickets, clock, gate, processor, fastPath },
    {
      redis,
      queue: "default",
      recovery: createQueueRecovery({
        redis,
        tickets,
        enqueuer: createTicketQueue(redis, tickets, () => undefined),
        clock,
        random: createSystemRandom(),
      }),
      concurrency,
      drain: never,
      abort: never,
      lockMs: 1000,
      stalledCheckMs: 300,
      log: createRecordedLog(({ level, fields }) => void (level === "error" && console.error(fields))),
    },
  );
}
