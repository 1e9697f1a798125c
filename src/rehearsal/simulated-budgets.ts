import { isDeepStrictEqual } from "node:util";
import type { BudgetControls, BudgetState, RunningTicket, SpendRow } from "../../packages/sdk/src/wire/budgets.ts";
import type { Clock } from "../core/clock.ts";
import { dayMs, formatDuration } from "../core/duration.ts";
import { oneUsd } from "../core/money.ts";
import { isPaused } from "../llm/budgets/actions/gate.ts";
import type { BudgetControl, ControlsChange } from "../llm/budgets/budget.ts";
import { applyChange } from "../llm/budgets/controls.ts";
import { sumRows } from "../llm/budgets/spend-row.ts";
import type { SimulatedBudget, SimulatedSpend } from "./rehearsal.ts";

const periodMs = 30 * dayMs;

interface World {
  readonly written: SimulatedBudget;
  controls: BudgetControls;
  tickets: SimulatedTicket[];
  started: number;
}

interface SimulatedTicket extends RunningTicket {
  /** Which of the tickets that run at once it is: a turn's share after which it ends. */
  readonly slot: number;
}

/**
 * Budgets whose tickets obey them: a stop ends each ticket at its next turn boundary, a closed gate lets none begin,
 * and an open one keeps as many running as before or as the limit of concurrency permits. `changed` hears every change as one line.
 */
export function createSimulatedBudgets(
  budgets: readonly SimulatedBudget[],
  clock: Pick<Clock, "now">,
  changed: (line: string) => void,
): BudgetControl {
  const start = clock.now();
  const worlds = new Map(budgets.map((written) => [written.id, worldOf(written, start)]));

  function at(id: string): World | undefined {
    const world = worlds.get(id);
    if (world !== undefined) letWork(world, clock.now());
    return world;
  }

  return {
    read: async (id) => {
      const world = at(id);
      return world === undefined ? undefined : stateOf(world, start, clock.now());
    },
    list: async () => [...worlds.keys()],
    async compareAndSet(id, expectedVersion, change) {
      const world = at(id);
      if (world === undefined) throw new Error(`There is no simulated budget ${id}.`);
      const { controls } = world;
      const wanted = changedControls(controls, change);
      const lines = differences(controls, wanted, start);
      if (isDeepStrictEqual({ ...wanted, version: 0 }, { ...controls, version: 0 })) return { set: true, controls };
      if (controls.version !== expectedVersion) return { set: false, controls };
      world.controls = wanted;
      if (lines.length > 0) changed(`budget/${id}: ${lines.join(", ")}`);
      return { set: true, controls: wanted };
    },
    running: async (id) => at(id)?.tickets ?? [],
    spend: async (id, from, to) =>
      rowsOf((worlds.get(id)?.written.spend ?? []).filter((row) => start - row.agoMs >= from && start - row.agoMs < to)),
  };
}

function worldOf(written: SimulatedBudget, start: number): World {
  const { limits, closedBy } = written;
  return {
    written,
    controls: {
      version: 1,
      gate: closedBy === undefined ? "open" : "paused",
      reason: closedBy === undefined ? "" : "closed before the alert",
      by: closedBy ?? "",
      limits: {
        concurrency: limits.concurrency,
        ratePerMinute: limits.ratePerMinute,
        perTicketCapMicroUsd: limits.perTicketCapUsd === null ? null : Math.round(limits.perTicketCapUsd * oneUsd),
        perMinuteCapMicroUsd: null,
        maxAttempts: limits.maxAttempts,
      },
    },
    tickets: Array.from({ length: written.running }, (_, index) => ticketOf(index, index, start - written.turnMs)),
    started: written.running,
  };
}

const ticketOf = (index: number, slot: number, since: number): SimulatedTicket => ({
  slot,
  ticketId: `ticket-${index + 1}`,
  leaseId: `lease-${index + 1}`,
  since,
  turn: 1,
});

function letWork(world: World, now: number): void {
  const { controls, written } = world;
  const stopBefore = controls.stopBefore ?? 0;
  // Turn boundaries are spread evenly over a turn, so that the tickets end one after another.
  const end = (slot: number) => stopBefore + (written.turnMs * (slot + 1)) / Math.max(1, written.running);
  world.tickets = world.tickets.filter((ticket) => ticket.since >= stopBefore || now < end(ticket.slot));
  if (isPaused(controls, now)) return;
  const wanted = Math.min(written.running, controls.limits.concurrency ?? written.running);
  while (world.tickets.length < wanted) {
    world.tickets.push(ticketOf(world.started, world.tickets.length, now));
    world.started += 1;
  }
}

function stateOf({ written, controls, tickets }: World, start: number, now: number): BudgetState {
  const remainingSeconds = Math.max(0, start + periodMs / 2 - now) / 1000;
  return {
    budget: { id: written.id, limitMicroUsd: Math.round(written.limitUsd * oneUsd), periodMs, periodStartsAt: start - periodMs / 2 },
    controls,
    spentMicroUsd: Math.round(written.spentUsd * oneUsd),
    estimatedMicroUsd: 0,
    committedMicroUsd: 0,
    running: tickets.length,
    queued: written.queued + Math.max(0, written.running - tickets.length),
    allowanceMicroUsdPerSecond: Math.round((written.limitUsd * oneUsd * 1000) / periodMs),
    periodRemainingSeconds: remainingSeconds,
    queues: ["tickets"],
    batches: ["batch-1"],
  };
}

function changedControls(controls: BudgetControls, change: ControlsChange): BudgetControls {
  const { version, ...current } = controls;
  return { ...applyChange(current, change), version: version + 1 };
}

/** `gate open -> paused, pausedUntil none -> 4h`: instants are told as the time since the alert. */
function differences(before: BudgetControls, after: BudgetControls, start: number): readonly string[] {
  const flat = (controls: BudgetControls): Readonly<Record<string, string>> => ({
    gate: controls.gate,
    pausedUntil: instant(controls.pausedUntil, start),
    stopBefore: instant(controls.stopBefore, start),
    ...Object.fromEntries(Object.entries(controls.limits).map(([name, value]) => [name, value === null ? "none" : String(value)])),
  });
  const [old, now] = [flat(before), flat(after)];
  return Object.keys(old).flatMap((field) => (old[field] === now[field] ? [] : [`${field} ${old[field]} -> ${now[field]}`]));
}

function instant(at: number | undefined, start: number): string {
  return at === undefined ? "none" : formatDuration(at - start);
}

const tokensPerRequest = 10_000;

function rowsOf(spend: readonly SimulatedSpend[]): readonly SpendRow[] {
  return sumRows(
    spend.map((row, index) => ({
      key: [row.prompt, row.operation, row.provider, row.model],
      costMicroUsd: Math.round(row.costUsd * oneUsd),
      estimatedMicroUsd: 0,
      requests: row.requests,
      // Requests of equal size, so that the rise of a rehearsal has a factor.
      inputTokens: row.requests * tokensPerRequest,
      outputTokens: 0,
      unpricedTokens: 0,
      attempts: Array.from({ length: row.attempts }, (_, attempt) => `${index}-${attempt % Math.max(1, row.tickets)}#${attempt}`),
    })),
  );
}
