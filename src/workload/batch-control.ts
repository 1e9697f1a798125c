import type { Clock } from "../core/clock.ts";
import { stopOf } from "./batch-admission.ts";
import { estimateBatch, estimateTicket, judgeRoom, type BatchEstimate, type RoomVerdict } from "./batch-estimate.ts";
import { batchProgress, type BatchProgress } from "./batch-progress.ts";
import type { Batch, BatchChange, BatchStore, SubmitReply } from "./batch.ts";
import type { BudgetControl } from "./budget.ts";
import { hasEnded, ticketStates } from "./ticket.ts";

/** A batch, how far it is, and why it admits nothing any more when it has stopped by itself. */
export interface BatchSight extends Batch {
  readonly progress: BatchProgress;
  readonly stop: { readonly hold: string; readonly detail: string } | null;
}

/** What a draft will probably cost, and whether its budget has room for it. */
export interface BatchQuote {
  readonly estimate: BatchEstimate;
  readonly room: RoomVerdict;
}

/** What came of a submission, with the sentence that shows the arithmetic of a refusal. */
export type SubmitAnswer = Exclude<SubmitReply, { kind: "refused" }> | { readonly kind: "refused"; readonly arithmetic: string };

/** What people and runs may do to batches. */
export interface BatchControl {
  look(id: string): Promise<BatchSight | undefined>;
  /** Ids of batches of a queue that are not through; "all queues" is never implied. */
  activeOn(queue: string): Promise<readonly string[]>;
  /** Undefined: there is no such batch, or its budget is gone. */
  quote(id: string): Promise<BatchQuote | undefined>;
  submit(id: string): Promise<SubmitAnswer>;
  change(id: string, change: BatchChange, expectedVersion?: number): ReturnType<BatchStore["change"]>;
}

/** Whom batch control needs. */
export interface BatchControlDeps {
  readonly batches: Pick<BatchStore, "get" | "active" | "change" | "submit" | "costs" | "endedBySlot">;
  readonly budgets: Pick<BudgetControl, "read">;
  readonly clock: Pick<Clock, "now">;
}

/** Judges by the store's facts; every effect is one call of the store. */
export function createBatchControl({ batches, budgets, clock }: BatchControlDeps): BatchControl {
  const look = async (id: string): Promise<BatchSight | undefined> => {
    const batch = await batches.get(id);
    return batch === undefined ? undefined : sightOf(batch, await batches.endedBySlot(id), clock.now());
  };
  const estimateOf = async ({ kinds, limits }: Batch): Promise<BatchEstimate> =>
    estimateBatch(
      await Promise.all(
        Object.entries(kinds).map(async ([kind, tickets]) => ({
          kind,
          tickets,
          ...estimateTicket(await batches.costs(kind), limits.perTicketCapMicroUsd),
        })),
      ),
    );
  return {
    look,
    async activeOn(queue) {
      const found = await Promise.all((await batches.active()).map(async (id) => batches.get(id)));
      return found.flatMap((batch) => (batch?.queue === queue ? [batch.id] : []));
    },
    async quote(id) {
      const batch = await batches.get(id);
      const state = batch === undefined ? undefined : await budgets.read(batch.budget);
      if (batch === undefined || state === undefined) return undefined;
      const estimate = await estimateOf(batch);
      return { estimate, room: judgeRoom(estimate, { ...state, limitMicroUsd: state.budget.limitMicroUsd }) };
    },
    async submit(id) {
      const batch = await batches.get(id);
      if (batch === undefined) return { kind: "missing" };
      const estimate = await estimateOf(batch);
      const reply = await batches.submit(id, estimate);
      return reply.kind === "refused" ? { kind: "refused", arithmetic: judgeRoom(estimate, reply).arithmetic } : reply;
    },
    change: async (id, change, expectedVersion) => batches.change(id, change, expectedVersion),
  };
}

function sightOf(batch: Batch, endedBySlot: ReadonlyMap<number, number>, now: number): BatchSight {
  const { counts, spentMicroUsd, estimate, limits, led } = batch;
  const tickets = ticketStates.reduce((sum, state) => sum + counts[state], 0);
  const p50MicroUsd = estimate === undefined ? 0 : Math.round(estimate.p50MicroUsd / Math.max(1, estimate.tickets));
  const unsuccessful = ticketStates.reduce(
    (sum, state) => (hasEnded(state) && state !== "succeeded" && state !== "cancelled" ? sum + counts[state] : sum),
    0,
  );
  const facts = { led, succeeded: counts.succeeded, unsuccessful, spentMicroUsd, limits };
  const progress = batchProgress({ counts, spentMicroUsd, p50MicroUsd, endedBySlot }, now);
  const isOver = batch.state !== "open" || progress.ended === tickets;
  return { ...batch, progress, stop: isOver ? null : (stopOf(facts, now) ?? null) };
}

/** Whether nothing will happen to a batch any more. */
export function isThrough({ state, progress }: Pick<BatchSight, "state" | "progress">): boolean {
  return state === "done" || (state === "cancelled" && progress.ended === progress.tickets);
}
