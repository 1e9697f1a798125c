import {
  type BatchLimits,
  type BatchQuote,
  type BatchState,
  type BatchView,
  batchLimitsSchema,
} from "../../packages/sdk/src/wire/batches.ts";
import type { Clock } from "../core/clock.ts";
import { formatDuration } from "../core/duration.ts";
import { oneUsd } from "../core/money.ts";
import type { BatchControl, SubmitAnswer } from "../llm/batches/batch-control.ts";
import { estimateBatch, judgeRoom } from "../llm/batches/batch-estimate.ts";
import { batchProgress } from "../llm/batches/batch-progress.ts";
import { stopOf } from "../llm/budgets/batch-admission.ts";
import type { BudgetControl } from "../llm/budgets/budget.ts";
import type { SimulatedBatch } from "./rehearsal.ts";

interface World {
  readonly written: SimulatedBatch;
  state: BatchState;
  gate: "open" | "paused";
  limits: BatchLimits;
  version: number;
  /** Tickets that have ended; the fraction is the one that is worked on. */
  ended: number;
  workedUntil: number;
}

/**
 * Batches whose tickets end at an even pace, the unsuccessful ones spread evenly among them, and that obey gate, limits, leading group and cancellation as
 * the real ones do. `changed` hears every change as one line.
 */
export function createSimulatedBatches(
  batches: readonly SimulatedBatch[],
  {
    clock,
    budgets,
    changed,
  }: { readonly clock: Pick<Clock, "now">; readonly budgets: Pick<BudgetControl, "read">; readonly changed: (line: string) => void },
): BatchControl {
  const start = clock.now();
  const worlds = new Map(batches.map((written) => [written.id, worldOf(written, start)]));
  const at = (id: string): World | undefined => {
    const world = worlds.get(id);
    if (world !== undefined) letWork(world, clock.now());
    return world;
  };
  const quote = async ({ written }: World): Promise<BatchQuote | undefined> => {
    const budget = await budgets.read(written.budget);
    if (budget === undefined) return undefined;
    const kind = {
      kind: written.kind,
      tickets: written.tickets,
      p50MicroUsd: (written.p90Usd * oneUsd) / 2,
      p90MicroUsd: written.p90Usd * oneUsd,
    };
    const estimate = estimateBatch([{ ...kind, n: 100, from: "history" }]);
    return { estimate, room: judgeRoom(estimate, { ...budget, limitMicroUsd: budget.budget.limitMicroUsd }) };
  };
  const submit = async (id: string): Promise<SubmitAnswer> => {
    const world = at(id);
    if (world === undefined) return { kind: "missing" };
    if (world.state === "cancelled") return { kind: "not_draft", state: world.state };
    if (world.state !== "draft") return { kind: "joined" };
    const quoted = await quote(world);
    if (quoted === undefined) return { kind: "no_budget" };
    if (!quoted.room.fits) return { kind: "refused", arithmetic: quoted.room.arithmetic };
    world.state = "open";
    world.version += 1;
    world.workedUntil = clock.now();
    changed(`batch/${id}: state draft -> open`);
    return { kind: "submitted" };
  };

  return {
    submit,
    get: async (id) => {
      const world = at(id);
      return world === undefined ? undefined : viewOfBatch(world, clock.now());
    },
    activeOn: async (queue) =>
      [...worlds.keys()].filter((id) => at(id)?.written.queue === queue && ["open", "cancelled"].includes(at(id)?.state ?? "")),
    quote: async (id) => {
      const world = at(id);
      return world === undefined ? undefined : quote(world);
    },
    async change(id, change, expectedVersion) {
      const world = at(id);
      if (world === undefined) return "missing";
      if (world.state === "done" || world.state === "cancelled") return "over";
      if (expectedVersion !== undefined && expectedVersion !== world.version) return "conflict";
      for (const line of differences(world, change, start)) changed(`batch/${id}: ${line}`);
      world.gate = change.gate ?? world.gate;
      world.state = change.state ?? world.state;
      world.limits = change.limits ?? world.limits;
      world.version += 1;
      return "set";
    },
    failures: async (id) => {
      const world = at(id);
      if (world === undefined) return [];
      const reasons = reasonsOf(world.written);
      return Array.from({ length: failedAmong(world.written, Math.floor(world.ended)) }, (_, index) => ({
        id: `${id}/${index}`,
        state: "failed" as const,
        reason: reasons[index] ?? "",
      }));
    },
    async resubmit(id, { newId, ticketIds }) {
      const first = at(id);
      if (first === undefined) return { kind: "missing" };
      if (!worlds.has(newId)) {
        const written = { ...first.written, id: newId, draft: true, tickets: ticketIds.length, ended: 0, failures: {} };
        worlds.set(newId, worldOf(written, clock.now()));
        changed(`batch/${newId}: ${ticketIds.length} tickets of ${id} again`);
      }
      return submit(newId);
    },
  };
}

function worldOf(written: SimulatedBatch, now: number): World {
  return {
    written,
    state: written.draft ? "draft" : "open",
    gate: "open",
    limits: batchLimitsSchema.parse({}),
    version: 1,
    ended: written.ended,
    workedUntil: now,
  };
}

/** One ticket after the other, so that a stop comes exactly where it would. */
function letWork(world: World, now: number): void {
  const { written } = world;
  const mayWork = world.state === "open" && world.gate === "open";
  let remaining = mayWork ? ((now - world.workedUntil) / 60_000) * written.perMinute : 0;
  world.workedUntil = now;
  while (remaining > 0 && world.ended < written.tickets && stopOf(factsOf(world), now) === undefined) {
    const step = Math.min(remaining, Math.floor(world.ended) + 1 - world.ended);
    world.ended += step;
    remaining -= step;
  }
  if (world.state === "open" && world.ended >= written.tickets) world.state = "done";
}

function factsOf({ written, ended, limits }: World) {
  const whole = Math.floor(ended + 1e-9);
  const unsuccessful = failedAmong(written, whole);
  const spentMicroUsd = Math.round(whole * written.costUsd * oneUsd);
  return { limits, pilotPassed: whole > limits.pilotTickets, succeeded: whole - unsuccessful, unsuccessful, spentMicroUsd };
}

function failedAmong(written: SimulatedBatch, ended: number): number {
  return Math.floor((ended * reasonsOf(written).length) / written.tickets + 1e-9);
}

function reasonsOf({ failures }: SimulatedBatch): readonly string[] {
  return Object.entries(failures).flatMap(([reason, count]) => Array.from({ length: count }, () => reason));
}

function viewOfBatch(world: World, now: number): BatchView {
  const { written, state, gate, limits, version } = world;
  const { succeeded, unsuccessful, spentMicroUsd, pilotPassed } = factsOf(world);
  const open = written.tickets - succeeded - unsuccessful;
  const cancelled = state === "cancelled" ? open : 0;
  const counts = { queued: open - cancelled, running: 0, waiting: 0, succeeded, failed: unsuccessful, dead: 0, cancelled, quarantined: 0 };
  const p50MicroUsd = Math.round((written.p90Usd * oneUsd) / 2);
  const endedBySlot = new Map<number, number>();
  const progress = {
    ...batchProgress({ counts: { ...counts }, spentMicroUsd, p50MicroUsd, endedBySlot }, now),
    perMinute: written.perMinute,
  };
  const stop = state === "open" ? (stopOf(factsOf(world), now) ?? null) : null;
  return {
    id: written.id,
    budget: written.budget,
    queue: written.queue,
    state,
    gate,
    reason: "",
    by: "",
    limits,
    version,
    concurrencyNow: limits.concurrency,
    spentMicroUsd,
    reservedMicroUsd: state === "open" ? Math.round((open - cancelled) * written.p90Usd * oneUsd) : 0,
    counts,
    kinds: { [written.kind]: written.tickets },
    begun: succeeded + unsuccessful,
    begunEnded: succeeded + unsuccessful,
    pilotPassed,
    enqueued: written.tickets,
    requests: 0,
    rateLimited: 0,
    revision: version,
    createdAt: 0,
    progress,
    stop,
  };
}

function differences(world: World, change: Parameters<BatchControl["change"]>[1], start: number): readonly string[] {
  const { gate, state, limits } = change;
  const before = new Map<string, number | null>(Object.entries(world.limits));
  const formatValue = (name: string, value: number | null | undefined) =>
    value === null || value === undefined ? "none" : name === "deadlineAt" ? formatDuration(value - start) : String(value);
  const changes = Object.entries(limits ?? {}).flatMap(([name, value]) =>
    value === before.get(name) ? [] : [`${name} ${formatValue(name, before.get(name))} -> ${formatValue(name, value)}`],
  );
  return [
    ...(gate === undefined || gate === world.gate ? [] : [`gate ${world.gate} -> ${gate}`]),
    ...(state === undefined ? [] : [`state ${world.state} -> ${state}`]),
    ...(changes.length === 0 ? [] : [changes.join(", ")]),
  ];
}
