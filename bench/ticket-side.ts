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
 * One side of the tickets' bench: fills a queue, works on a number of its tickets, and prints how long that took. `bare` is a BullMQ worker that does nothing; `floor` runs three fenced
 * scripts for each ticket, which admit it, count its usage and end it; `product` asks the gate, records usage in the ledger and saves a checkpoint for each ticket. Arguments: side, redis socket, concurrency, tickets to work on, tickets queued.
 */

const queueName = "bench";
const piece = 1000;

interface Side {
  fill(count: number): Promise<void>;
  /** Resolves when so many tickets are through. */
  work(count: number, concurrency: number): Promise<void>;
}

/** What a straightforward worker would do for a ticket: the least that is fenced and counts money. */
const floorScripts = {
  admit: {
    numberOfKeys: 4,
    lua: `local ticket, leases, budget, log = unpack(KEYS)
local id, holder, now, estimate = unpack(ARGV)
local spent, committed, limit = unpack(redis.call('HMGET', budget, 'spent', 'committed', 'limit'))
if redis.call('ZCARD', leases) >= 1000 or (spent or 0) + (committed or 0) + estimate > tonumber(limit or 1e15) then return 0 end
redis.call('HSET', ticket, 'state', 'running', 'holder', holder, 'updated', now)
redis.call('ZADD', leases, now + 120000, id)
redis.call('HINCRBY', budget, 'committed', estimate)
redis.call('XADD', log, 'MAXLEN', '~', 20000, '*', 'kind', 'admitted', 'at', now, 'ticket', id)
return 1`,
  },
  settle: {
    numberOfKeys: 3,
    lua: `local ticket, budget, usage = unpack(KEYS)
local holder, cost, estimate, event = unpack(ARGV)
if redis.call('HGET', ticket, 'holder') ~= holder then return 0 end
redis.call('HINCRBY', budget, 'spent', cost)
redis.call('HINCRBY', budget, 'committed', -estimate)
redis.call('HINCRBY', ticket, 'spent', cost)
redis.call('XADD', usage, 'MAXLEN', '~', 50000, '*', 'event', event)
return 1`,
  },
  end: {
    numberOfKeys: 3,
    lua: `local ticket, leases, counts = unpack(KEYS)
local id, holder, now, saved = unpack(ARGV)
if redis.call('HGET', ticket, 'holder') ~= holder then return 0 end
redis.call('HSET', ticket, 'state', 'succeeded', 'saved', saved, 'updated', now)
redis.call('PEXPIRE', ticket, 2592000000)
redis.call('ZREM', leases, id)
redis.call('HINCRBY', counts, 'succeeded', 1)
return 1`,
  },
} as const;

function floorSide(socketPath: string): Side {
  const redis = new Redis({ path: socketPath, scripts: floorScripts });
  const run = async (name: keyof typeof floorScripts, ...args: readonly (string | number)[]): Promise<void> => {
    const command: unknown = Reflect.get(redis, name);
    if (typeof command !== "function") throw new Error(`${name} is no command`);
    const reply: unknown = await Reflect.apply(command, redis, args);
    if (reply !== 1) throw new Error(`${name} was refused`);
  };
  const usage = JSON.stringify({
    model: "claude-sonnet-4-5",
    operation: "turn",
    prompt: "bench",
    input: 1000,
    output: 100,
    costMicroUsd: 4500,
  });
  return bareSide(socketPath, async ({ data, token = "" }) => {
    const { ticketId: id } = data;
    const [ticket, leases, budget] = [`{f}:ticket:${id}`, "{f}:leases", "{f}:budget"];
    await run("admit", ticket, leases, budget, "{f}:log", id, token, Date.now(), 5000);
    await run("settle", ticket, budget, "{f}:usage", token, 4500, 5000, usage);
    await run("end", ticket, leases, "{f}:counts", id, token, Date.now(), JSON.stringify({ answer: id }));
  });
}

interface BareJob {
  readonly data: { readonly ticketId: string };
  readonly token?: string | undefined;
}

function bareSide(socketPath: string, work: (job: BareJob) => Promise<void> = async () => undefined): Side {
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
        const worker = new Worker<BareJob["data"]>(queueName, async (job) => work(job), {
          connection: connect(),
          concurrency,
          removeOnComplete: { count: 0 },
        });
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
const sides = { bare: bareSide, floor: floorSide, product: productSide };
const side = (name === "bare" || name === "floor" ? sides[name] : sides.product)(socketPath);
const empty = await usedBytes(watch);
await side.fill(Number(queued));
const bytesPerTicket = (await usedBytes(watch)) - empty;
const startedAt = performance.now();
await side.work(Number(count), Number(concurrency));
const seconds = (performance.now() - startedAt) / 1000;
process.stdout.write(JSON.stringify({ perSecond: Number(count) / seconds, bytesPerTicket: bytesPerTicket / Number(queued) }));
process.exit(0);
