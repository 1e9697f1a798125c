import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { newTicketSchema } from "../packages/sdk/src/wire/tickets.ts";
import { createSystemClock } from "../src/core/clock.ts";
import type { Log } from "../src/core/log.ts";
import { createSystemRandom } from "../src/core/random.ts";
import { realTimes } from "../src/llm/budgets/budget-ledger.ts";
import { createLocalGate } from "../src/llm/budgets/local-gate.ts";
import { createBudgetLedger } from "../src/llm/budgets/redis-store.ts";
import { startTicketWorker } from "../src/llm/tickets/jobs.ts";
import { createFastPath } from "../src/llm/tickets/redis-fast-path.ts";
import { createQueueRecovery } from "../src/llm/tickets/redis-queue-recovery.ts";
import { createTicketStore } from "../src/llm/tickets/redis-store.ts";
import { createTicketQueue } from "../src/llm/tickets/ticket-queue.ts";
import { createPriceTable } from "../src/llm/usage/price-table.ts";
import { shippedPrices } from "../src/llm/usage/prices.ts";
import { recordUsage } from "../src/llm/usage/record-usage.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";

/*
 * One side of the tickets' bench: fills a queue, then works on so many tickets of it and says how long that took. `bare` is a BullMQ worker that does nothing; `product` asks the gate,
 * records usage in the ledger and saves a checkpoint for each ticket. Arguments: side, redis socket, concurrency, tickets to work on, tickets queued.
 */

const queueName = "bench";
const piece = 1000;

interface Side {
  fill(count: number): Promise<void>;
  /** Resolves when so many tickets are through. */
  work(count: number, concurrency: number): Promise<void>;
}

function bareSide(socketPath: string): Side {
  const connect = () => new Redis({ path: socketPath, replyMapping: "legacy", maxRetriesPerRequest: null });
  return {
    async fill(count) {
      const queue = new Queue(queueName, { connection: connect() });
      for (let from = 0; from < count; from += piece) {
        const jobs = Array.from({ length: Math.min(piece, count - from) }, (_, index) => ({
          name: "ticket",
          data: { ticketId: `t/${from + index}` },
          opts: { jobId: `t-${from + index}`, removeOnComplete: true, removeOnFail: true },
        }));
        await queue.addBulk(jobs);
      }
      await queue.close();
    },
    work: async (count, concurrency) =>
      new Promise((resolve, reject) => {
        let done = 0;
        const worker = new Worker(queueName, async () => undefined, { connection: connect(), concurrency, removeOnComplete: { count: 0 } });
        worker.on("error", reject);
        worker.on("completed", () => {
          done += 1;
          if (done === count) resolve();
        });
      }),
  };
}

function productSide(socketPath: string): Side {
  const redis = connectRedis({ socketPath }, "worker");
  const clock = createSystemClock();
  const tickets = createTicketStore({ redis, clock });
  const ledger = createBudgetLedger({ redis, clock, times: realTimes, counts: tickets });
  const publish = () => undefined;
  const prices = createPriceTable(shippedPrices);
  const usage = { input_tokens: 1000, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 100 };
  return {
    async fill(count) {
      await ledger.define({ id: "bench", limitMicroUsd: 1_000_000_000_000, periodMs: 3_600_000_000, periodStartsAt: 0 });
      const queue = createTicketQueue(redis, tickets, fail);
      for (let from = 0; from < count; from += piece) {
        const ids = Array.from({ length: Math.min(piece, count - from) }, (_, index) => `t/${from + index}`);
        await tickets.addAll(ids.map((id) => newTicketSchema.parse({ id, budget: "bench", queue: queueName, estimateMicroUsd: 5000 })));
        await queue.enqueueAll(
          ids.map((id) => ({ id, budget: "bench" })),
          queueName,
        );
      }
      await queue.close();
    },
    work: async (count, concurrency) =>
      new Promise((resolve, reject) => {
        let done = 0;
        const abort = new AbortController();
        const log: Log = {
          debug: () => undefined,
          info(fields) {
            if (fields["kind"] !== "ended" || fields["state"] !== "succeeded") reject(new Error(JSON.stringify(fields)));
            done += 1;
            if (done === count) resolve();
          },
          warn: (fields, message) => reject(new Error(message, { cause: fields["error"] })),
          error: (fields, message) => reject(new Error(message, { cause: fields["error"] })),
          ofRun: () => log,
        };
        startTicketWorker(
          {
            store: tickets,
            gate: createLocalGate({ ledger, publish }),
            fastPath: createFastPath({ redis, clock, times: realTimes, publish }),
            clock,
            async processor(ticket) {
              const report = {
                id: `msg ${ticket.id}`.replace(" ", "_"),
                provider: "anthropic",
                model: "claude-sonnet-4-5",
                operation: "turn",
                prompt: "bench",
                budget: "bench",
                ticketId: ticket.id,
                usage,
              };
              const [counted] = await recordUsage([report], clock.now(), { ledger, prices, publish });
              if (counted?.result !== "accepted") throw new Error(`usage was ${counted?.result}`);
              return { kind: "done", saved: { answer: ticket.id } };
            },
          },
          {
            redis: connectRedis({ socketPath }, "worker"),
            queue: queueName,
            recovery: createQueueRecovery({
              redis,
              tickets,
              enqueuer: createTicketQueue(redis, tickets, fail),
              clock,
              random: createSystemRandom(),
            }),
            concurrency,
            drain: abort.signal,
            abort: abort.signal,
            log,
          },
        );
      }),
  };
}

function fail(error: unknown): never {
  throw error;
}

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
}

const [name = "", socketPath = "", concurrency = "1", count = "0", queued = "0"] = process.argv.slice(2);
const watch = new Redis({ path: socketPath });
const side = name === "bare" ? bareSide(socketPath) : productSide(socketPath);
const empty = await usedBytes(watch);
await side.fill(Number(queued));
const bytesPerTicket = (await usedBytes(watch)) - empty;
const startedAt = performance.now();
await side.work(Number(count), Number(concurrency));
const seconds = (performance.now() - startedAt) / 1000;
process.stdout.write(JSON.stringify({ perSecond: Number(count) / seconds, bytesPerTicket: bytesPerTicket / Number(queued) }));
process.exit(0);
