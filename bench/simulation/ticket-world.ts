import { createHash } from "node:crypto";
import { newTicketSchema, type Ticket } from "../../packages/sdk/src/wire/tickets.ts";
import { usageReportSchema } from "../../packages/sdk/src/wire/usage.ts";
import type { BudgetLedger } from "../../src/llm/budgets/budget-ledger.ts";
import { hasEnded } from "../../src/llm/tickets/ticket.ts";
import { workTicket } from "../../src/llm/tickets/work-ticket.ts";
import { createPriceTable } from "../../src/llm/usage/price-table.ts";
import { shippedPrices } from "../../src/llm/usage/prices.ts";
import { createReportPricer } from "../../src/llm/usage/usage-report.ts";
import { createMemoryBudgetLedger } from "../../test/fakes/memory-budget-ledger.ts";
import { createMemoryTickets } from "../../test/fakes/memory-tickets.ts";
import { faultKinds, faultOf } from "./faults.ts";
import { type CallWorld, inflict } from "./inflict.ts";
import { withLightSignals } from "./light-signals.ts";
import { createOperations, type Port, pickOf } from "./operations.ts";
import { createWorldTime, settled, type TimedProcess } from "./process-clock.ts";
import type { Schedule } from "./schedule.ts";
import type { WorldResult } from "./simulated-world.ts";
import type { Violation } from "./violation.ts";

/** One way to break the ledger of money or the queue of tickets. */
export interface TicketMutant {
  readonly name: string;
  readonly says: string;
  readonly ledger: (ledger: BudgetLedger) => BudgetLedger;
}

interface TicketProcess extends TimedProcess {
  readonly id: number;
  readonly worker: string;
}

interface Job {
  dueAt: number;
  losses: number;
  takenBy: number;
  takenAt: number;
}

const budget = "checkout";
const limitMicroUsd = 30_000;
const estimateMicroUsd = 5000;
/** What one request costs; at most what was estimated. */
const costMicroUsd = 3000;
const turns = 2;
/** Another worker gets a job that its worker has not finished for so long, as BullMQ does with a stalled one. */
const stalledMs = 20_000;
/** Number of the process that reports again. */
const outbox = 0;
const calmMs = 40 * 60_000;
const maxSteps = 20_000;
/** Between two looks at the ledger while nothing happens. */
const lookEveryMs = 5000;
const times = { leaseMs: 12_000, minuteMs: 60_000, bucketMs: 10_000, retentionMs: 86_400_000 };
const prices = createPriceTable(shippedPrices);

/** Executes one world of tickets: `workTicket` as it ships, in two or three workers, over the ledger of money and the tickets in memory. */
export async function simulateTickets(schedule: Schedule, { mutant }: { readonly mutant?: TicketMutant } = {}): Promise<WorldResult> {
  return withLightSignals(async () => execute(schedule, mutant));
}

async function execute(schedule: Schedule, mutant: TicketMutant | undefined): Promise<WorldResult> {
  const time = createWorldTime();
  const operations = createOperations();
  const trace: string[] = [];
  const processes = new Map<number, TicketProcess>();
  let steps = 0;
  let deliveries = 0;
  let requests = 0;
  let violation: Violation | undefined;
  const clock = time.clockOf({ dead: false, stoppedUntil: 0, offsetMs: 0 });
  const plain = createMemoryBudgetLedger({ clock, times });
  const ledger = mutant?.ledger(plain) ?? plain;
  const tickets = createMemoryTickets(clock);
  const jobs = new Map<string, Job>();
  const unreported = new Map<string, Ticket>();
  const made = new Set<string>();
  const workers = pickOf(schedule, [2, 3]);
  const count = pickOf(schedule, [3, 4, 6]);
  const focus = Array.from({ length: pickOf(schedule, [0, 2, 3, 5]) }, () => schedule.pick(faultKinds.length));
  await ledger.define({ id: budget, limitMicroUsd, periodMs: 300_000, periodStartsAt: time.now() });

  const world: CallWorld = {
    time,
    operations,
    processes,
    stops: [],
    sequence: () => steps * 10,
    note: (line) => void trace.push(`${time.elapsed()} ${line}`),
    start,
  };

  const report = async (id: string, ticket: Ticket, process: number): Promise<void> => {
    const usage = { input_tokens: 1000, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 0 };
    const { attempt, turn } = ticket;
    const about = { id, provider: "anthropic", model: "claude-sonnet-4-5", operation: "plan", prompt: "planner", budget, usage } as const;
    await operations.call({ process, port: "journal", label: `report ${id} of ${ticket.id}` }, async () => {
      await ledger.record([
        createReportPricer(prices, time.now())(usageReportSchema.parse({ ...about, ticketId: ticket.id, attempt, turn, queue: "default" })),
      ]);
    });
    unreported.delete(id);
  };

  function start(worker: string): void {
    if (worker === "outbox") return;
    const process: TicketProcess = { id: processes.size + 1, worker, dead: false, stoppedUntil: 0, offsetMs: 0 };
    processes.set(process.id, process);
    void work(process);
  }

  async function work(process: TicketProcess): Promise<void> {
    const { id } = process;
    const own = time.clockOf(process);
    const ask = async <Value>(port: Port, label: string, action: () => Promise<Value>): Promise<Value> =>
      operations.call({ process: id, port, label }, action);
    const gate = {
      admit: async (request: Parameters<BudgetLedger["admit"]>[0]) =>
        ask("journal", `admit ${request.ticketId}`, async () => ledger.admit(request)),
      extend: async (of: string, leaseId: string) => ask("journal", `extend ${leaseId}`, async () => ledger.extend(of, leaseId)),
      release: async (input: Parameters<BudgetLedger["release"]>[0]) =>
        ask("journal", `release ${input.ticketId} ${input.outcome ?? ""}`, async () => {
          if (input.outcome === undefined) await ledger.release(input);
          else await ledger.finish(input);
        }),
    };
    const store = {
      ...tickets,
      claim: async (ticket: string, holder: string) => ask("journal", `claim ${ticket}`, async () => tickets.claim(ticket, holder)),
      write: async (ticket: string, holder: string, change: Parameters<typeof tickets.write>[2]) =>
        ask("journal", `write ${ticket} ${change.state ?? `turn ${change.turn ?? ""}`}`, async () => tickets.write(ticket, holder, change)),
    };
    const processor: Parameters<typeof workTicket>[2]["processor"] = async (ticket, context) => {
      const request = `u${(requests += 1)}`;
      await operations.call({ process: id, port: "target", label: `request ${ticket.id} ${request}`, signal: context.signal }, async () => {
        unreported.set(request, ticket);
        made.add(request);
      });
      await report(request, ticket, id);
      return context.turn + 1 < turns ? { kind: "continue", saved: context.turn, estimateMicroUsd } : { kind: "done", saved: context.turn };
    };
    const never = new AbortController().signal;
    for (;;) {
      try {
        const taken = await ask("queue", "take", async () => take(id));
        if (taken === undefined) {
          await own.sleep(1000);
          continue;
        }
        const holder = `${id}-${(deliveries += 1)}`;
        const lease = { holder, losses: taken.losses, drain: never, abort: never };
        const step = await workTicket(taken.ticketId, lease, { store, gate, processor, clock: own });
        await ask("queue", `done ${taken.ticketId} ${step.kind}`, async () =>
          finish(taken.ticketId, id, step.kind === "later" ? step.afterMs : undefined),
        );
      } catch {
        // The queue hands the job out again when it has stalled.
        await own.sleep(1000);
      }
    }
  }

  function take(process: number): { readonly ticketId: string; readonly losses: number } | undefined {
    const now = time.elapsed();
    for (const [ticketId, job] of jobs) {
      const isStalled = job.takenBy !== 0 && now - job.takenAt > stalledMs;
      if (!isStalled && (job.takenBy !== 0 || job.dueAt > now)) continue;
      if (isStalled) job.losses += 1;
      jobs.set(ticketId, { ...job, takenBy: process, takenAt: now });
      return { ticketId, losses: job.losses };
    }
    return undefined;
  }

  function finish(ticketId: string, process: number, afterMs: number | undefined): void {
    const job = jobs.get(ticketId);
    if (job?.takenBy !== process) return;
    if (afterMs === undefined) jobs.delete(ticketId);
    else jobs.set(ticketId, { ...job, takenBy: 0, dueAt: time.elapsed() + Math.max(500, afterMs) });
  }

  // What a process could not report is reported by the outbox of the application, once and again. The outbox starts again when it was killed.
  const reportAgain = (): void => {
    if (processes.get(outbox)?.dead !== false)
      processes.set(outbox, { id: outbox, worker: "outbox", dead: false, stoppedUntil: 0, offsetMs: 0 });
    for (const [id, ticket] of unreported) void report(id, ticket, outbox).catch(() => undefined);
    time.plan(15_000, reportAgain);
  };
  reportAgain();
  const ids = Array.from({ length: count }, (_, index) => `T-${index + 1}`);
  for (const id of ids) {
    await tickets.add(newTicketSchema.parse({ id, budget, estimateMicroUsd, maxAttempts: 5 }));
    jobs.set(id, { dueAt: 0, losses: 0, takenBy: 0, takenAt: 0 });
  }
  for (let index = 1; index <= workers; index += 1) start(`w${index}`);

  const ends = new Map<string, string>();
  let committedMicroUsd: number | undefined;
  let looked = { lines: -1, at: 0 };
  const check = async (): Promise<void> => {
    // Time alone changes only what a lease has reserved.
    if (looked.lines === trace.length && time.elapsed() - looked.at < lookEveryMs) return;
    looked = { lines: trace.length, at: time.elapsed() };
    const [summary] = await plain.summaries();
    committedMicroUsd = summary?.committedMicroUsd;
    const { spentMicroUsd: spent = 0, committedMicroUsd: committed = 0 } = summary ?? {};
    const wrong = (rule: string, what: string): void => void (violation ??= { rule, what });
    if (spent + committed > limitMicroUsd) wrong("money", `${spent} spent and ${committed} reserved pass the limit of ${limitMicroUsd}`);
    if (spent < 0 || committed < 0) wrong("money", `${spent} spent, ${committed} reserved`);
    for (const id of ids) {
      const ticket = await tickets.get(id);
      const before = ends.get(id);
      if (ticket === undefined || (before !== undefined && before !== ticket.state))
        wrong("ticket", `${id} was ${before} and is ${ticket?.state}`);
      if (ticket !== undefined && hasEnded(ticket.state)) ends.set(id, ticket.state);
    }
  };

  let calmSince: number | undefined;
  for (;;) {
    await settled();
    await check();
    if (violation !== undefined || (ends.size === count && unreported.size === 0 && jobs.size === 0 && committedMicroUsd === 0)) break;
    if (calmSince === undefined && schedule.taken.length >= 150) calmSince = time.elapsed();
    if (steps > maxSteps || (calmSince !== undefined && time.elapsed() - calmSince > calmMs)) {
      violation = {
        rule: "liveness",
        what: `${count - ends.size} tickets are open and ${committedMicroUsd} is reserved ${calmMs} ms after the faults have stopped`,
      };
      break;
    }
    steps += 1;
    await inflict(world, calmSince === undefined ? faultOf(schedule.next(), focus) : undefined, () => false);
  }
  for (const process of processes.values()) process.dead = true;
  // Every request costs what was reported of it; a turn without a report is charged with its estimate.
  const [summary] = await plain.summaries();
  await plain.recordUnreported();
  const rows = await plain.spend(budget, 0, time.now() + times.bucketMs);
  const exact = rows.reduce((sum, row) => sum + row.costMicroUsd - row.estimatedMicroUsd, 0);
  if (violation === undefined && exact !== made.size * costMicroUsd)
    violation = { rule: "money", what: `${exact} was spent by ${made.size} requests of ${costMicroUsd} each` };
  const durable = JSON.stringify([[...ends], summary]);
  trace.push(`end ${violation?.rule ?? "ok"} ${durable}`);
  const traceSha = createHash("sha256").update(trace.join("\n")).digest("hex");
  return { violation, steps, elapsedMs: time.elapsed(), traceSha, decisions: schedule.taken, trace, durable };
}
