import { once } from "node:events";
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
import { connectRedis } from "../src/platform/redis/connection.ts";
import { aUsageEvent } from "../test/builders/a-usage-report.ts";
import { countCommands } from "../test/servers/count-commands.ts";
import { createWorkFolder, startRedis } from "./programs.ts";

/** Cost of one ticket in Redis at a number of queued tickets, with its share of the searches for tickets in no queue. */
export interface TicketGrowthLine {
  readonly queued: number;
  readonly scriptsPerTicket: number;
  readonly commandsPerTicket: number;
  readonly replyBytesPerTicket: number;
  /** Wall time, which is printed and decides nothing. */
  readonly microsecondsPerTicket: number;
  /** Memory of Redis for one queued ticket. */
  readonly bytesPerQueuedTicket: number;
  /** Looks for tickets in no queue that ended meanwhile. */
  readonly looks: number;
}

/** How much more a ticket may cost in the longest queue than in the shortest. */
export const maxGrowth = 0.02;
/** Short, so that a measurement spans several looks. */
const recoverEveryMs = 200;
const minLooks = 2;
const concurrency = 8;
const piece = 1000;

/** Counts what `worked` tickets cost beside each length of the queue. */
export async function benchTicketGrowth(
  { worked, sizes }: { readonly worked: number; readonly sizes: readonly number[] },
  say: (text: string) => void,
): Promise<readonly TicketGrowthLine[]> {
  const lines: TicketGrowthLine[] = [];
  for (const queued of sizes) {
    const line = await measure(queued, worked);
    say(
      `tickets, ${queued} queued: ${line.scriptsPerTicket.toFixed(2)} scripts and ${line.commandsPerTicket.toFixed(1)} commands per ticket`,
    );
    lines.push(line);
  }
  return lines;
}

/** What has grown by more than {@link maxGrowth} from the first line to the last, by name. */
export function growthOfTickets(lines: readonly TicketGrowthLine[]): readonly string[] {
  const [first, last] = [lines[0], lines.at(-1)];
  if (first === undefined || last === undefined) return [];
  return (["scriptsPerTicket", "commandsPerTicket"] as const).filter((name) => last[name] > first[name] * (1 + maxGrowth));
}

/** The lines as a table for people, with the verdict. */
export function renderTicketGrowth(lines: readonly TicketGrowthLine[]): string {
  const rows = lines.map(
    (line) =>
      `${String(line.queued).padStart(8)} ${line.scriptsPerTicket.toFixed(2).padStart(8)} ${line.commandsPerTicket.toFixed(1).padStart(9)} ${line.replyBytesPerTicket.toFixed(0).padStart(12)} ${line.microsecondsPerTicket.toFixed(0).padStart(7)} ${line.bytesPerQueuedTicket.toFixed(0).padStart(13)} ${String(line.looks).padStart(6)}\n`,
  );
  const grown = growthOfTickets(lines);
  const verdict = grown.length === 0 ? "met" : `missed: ${grown.join(", ")}`;
  return `Cost of one ticket by the number of queued ones, searches for lost jobs included:\n  queued  scripts  commands  reply bytes      us  bytes queued  looks\n${rows.join("")}target: at most ${maxGrowth * 100} % more scripts and commands in the longest queue than in the shortest: ${verdict}\n`;
}

async function measure(queued: number, worked: number): Promise<TicketGrowthLine> {
  using folder = createWorkFolder();
  await using server = await startRedis(folder.path, "everysec");
  const redis = connectRedis({ socketPath: server.socketPath }, "worker");
  const connection = connectRedis({ socketPath: server.socketPath }, "worker");
  await Promise.all([once(redis, "ready"), once(connection, "ready")]);
  const clock = createSystemClock();
  const tickets = createTicketStore({ redis, clock });
  const ledger = createBudgetLedger({ redis, clock, times: realTimes, counts: tickets });
  const queue = createTicketQueue(redis, tickets, fail);
  const publish = () => undefined;
  const deps = {
    store: tickets,
    clock,
    gate: createLocalGate({ ledger, publish }),
    fastPath: createFastPath({ redis, clock, times: realTimes, publish }),
  };
  const usedBytes = async () => Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
  try {
    await ledger.define({ id: "bench", limitMicroUsd: 1_000_000_000_000, periodMs: 3_600_000_000, periodStartsAt: 0 });
    const empty = await usedBytes();
    for (let from = 0; from < queued; from += piece) {
      const ids = Array.from({ length: Math.min(piece, queued - from) }, (_, index) => `t/${from + index}`);
      await tickets.addAll(ids.map((id) => newTicketSchema.parse({ id, budget: "bench", estimateMicroUsd: 5000 })));
      await queue.enqueueAll(
        ids.map((id) => ({ id, budget: "bench" })),
        "default",
      );
    }
    const bytesPerQueuedTicket = ((await usedBytes()) - empty) / queued;
    const drain = new AbortController();
    const recovery = createQueueRecovery({ redis, tickets, enqueuer: queue, clock, random: createSystemRandom() });
    let looks = 0;
    let ended = 0;
    const startedAt = performance.now();
    const { commands } = await countCommands(redis, async () => {
      const worker = startTicketWorker(
        {
          ...deps,
          async processor(ticket) {
            const id = `r-${ticket.id}`;
            await ledger.record([aUsageEvent({ id, budget: "bench", ticketId: ticket.id }, clock.now())]);
            ended += 1;
            if (ended >= worked && looks >= minLooks) drain.abort();
            return { kind: "done", saved: null };
          },
        },
        {
          redis: connection,
          queue: "default",
          recovery: {
            recover: async (name) => recovery.recover(name),
            async repair(name, signal) {
              const repair = await recovery.repair(name, signal);
              looks += 1;
              if (repair.kind !== "complete") throw new Error(`nothing was lost, and the repair is ${repair.kind}`);
              return repair;
            },
          },
          recoverEveryMs,
          concurrency,
          drain: drain.signal,
          abort: new AbortController().signal,
          log: failingLog,
        },
      );
      await once(drain.signal, "abort");
      await worker.close();
    });
    return {
      queued,
      scriptsPerTicket: (commands.calls["evalsha"] ?? 0) / ended,
      commandsPerTicket: commands.total / ended,
      replyBytesPerTicket: commands.outputBytes / ended,
      microsecondsPerTicket: ((performance.now() - startedAt) * 1000) / ended,
      bytesPerQueuedTicket,
      looks,
    };
  } finally {
    await queue.close();
    connection.disconnect();
    redis.disconnect();
  }
}

const failingLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields, message) => fail(new Error(message, { cause: fields["error"] })),
  error: (fields, message) => fail(new Error(message, { cause: fields["error"] })),
  ofRun: () => failingLog,
};

function fail(error: unknown): never {
  throw error;
}
