import type { Batch, BatchEstimate, BatchQuote, BatchView } from "../../../packages/sdk/src/wire/batches.ts";
import { newTicketSchema, type TicketState, ticketStates } from "../../../packages/sdk/src/wire/tickets.ts";
import type { Clock } from "../../core/clock.ts";
import { stopOf } from "../budgets/batch-admission.ts";
import type { BudgetControl } from "../budgets/budget.ts";
import { hasEnded, type TicketStore } from "../tickets/ticket.ts";
import { ticketIdOf } from "../tickets/ticket-id.ts";
import type { BatchChange, BatchStore, SubmitResult } from "./batch.ts";
import { estimateBatch, estimateTicket, judgeRoom } from "./batch-estimate.ts";
import { batchProgress } from "./batch-progress.ts";

/** What came of a submission, with the sentence that shows the arithmetic of a refusal. */
export type SubmitAnswer = Exclude<SubmitResult, { kind: "refused" }> | { readonly kind: "refused"; readonly arithmetic: string };

/** What people and runs may do to batches. */
export interface BatchControl {
  get(id: string): Promise<BatchView | undefined>;
  /** Ids of batches of a queue that are not through; "all queues" is never implied. */
  activeOn(queue: string): Promise<readonly string[]>;
  /** Undefined: there is no such batch, or its budget is gone. */
  quote(id: string): Promise<BatchQuote | undefined>;
  /** `by`: who asks, as it is recorded. */
  submit(id: string, by?: string): Promise<SubmitAnswer>;
  change(id: string, change: BatchChange, expectedVersion?: number): ReturnType<BatchStore["change"]>;
  /** Tickets that ended without success, at most 1000. */
  failures(id: string): Promise<readonly FailedTicket[]>;
  /**
   * Hands tickets that ended without success in again: under new ids, as a submitted batch of its own with the limits of the first. Again under the
   * same id it joins. A ticket that was added elsewhere in between is left out.
   */
  resubmit(id: string, resubmission: Resubmission): Promise<SubmitAnswer>;
}

/** Tickets of one batch that are handed in again as another. */
export interface Resubmission {
  readonly newId: string;
  /** Of the first batch. */
  readonly ticketIds: readonly string[];
  /** Who asks. */
  readonly by: string;
}

/** A ticket that ended without success. */
export interface FailedTicket {
  readonly id: string;
  readonly state: TicketState;
  readonly reason: string;
}

const maxFailures = 1000;

/** Ends that say something against a batch; a cancelled ticket says nothing. */
const unsuccessfulStates: readonly TicketState[] = ticketStates.filter(
  (state) => hasEnded(state) && state !== "succeeded" && state !== "cancelled",
);

/** Whom batch control needs. */
export interface BatchControlDeps {
  readonly batches: Pick<BatchStore, "create" | "get" | "active" | "change" | "submit" | "costs" | "endedBySlot">;
  readonly tickets: Pick<TicketStore, "get" | "list" | "addAll">;
  readonly budgets: Pick<BudgetControl, "read">;
  readonly clock: Pick<Clock, "now">;
}

/** Judges by the store's facts; every effect is one call of the store. */
export function createBatchControl({ batches, tickets, budgets, clock }: BatchControlDeps): BatchControl {
  const get = async (id: string): Promise<BatchView | undefined> => {
    const batch = await batches.get(id);
    return batch === undefined ? undefined : viewOfBatch(batch, await batches.endedBySlot(id), clock.now());
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
  const submit = async (id: string): Promise<SubmitAnswer> => {
    const batch = await batches.get(id);
    if (batch === undefined) return { kind: "missing" };
    const estimate = await estimateOf(batch);
    const result = await batches.submit(id, estimate);
    return result.kind === "refused" ? { kind: "refused", arithmetic: judgeRoom(estimate, result).arithmetic } : result;
  };
  return {
    get,
    async activeOn(queue) {
      const activeBatches = await Promise.all((await batches.active()).map(async (id) => batches.get(id)));
      return activeBatches.flatMap((batch) => (batch?.queue === queue ? [batch.id] : []));
    },
    async quote(id) {
      const batch = await batches.get(id);
      const state = batch === undefined ? undefined : await budgets.read(batch.budget);
      if (batch === undefined || state === undefined) return undefined;
      const estimate = await estimateOf(batch);
      return { estimate, room: judgeRoom(estimate, { ...state, limitMicroUsd: state.budget.limitMicroUsd }) };
    },
    submit,
    async failures(id) {
      const failedTickets: FailedTicket[] = [];
      for (const state of unsuccessfulStates) {
        let cursor: string | undefined;
        do {
          const page = await tickets.list({ batchId: id, state }, cursor === undefined ? { limit: 200 } : { cursor, limit: 200 });
          failedTickets.push(...(page?.items ?? []).map((ticket) => ({ id: ticket.id, state: ticket.state, reason: ticket.reason })));
          cursor = page?.nextCursor;
        } while (cursor !== undefined && failedTickets.length < maxFailures);
      }
      return failedTickets.slice(0, maxFailures);
    },
    async resubmit(id, { newId, ticketIds, by }) {
      const first = await batches.get(id);
      if (first === undefined) return { kind: "missing" };
      await batches.create({ id: newId, budget: first.budget, queue: first.queue, limits: { ...first.limits, pilotTickets: 0 } }, true);
      await batches.change(newId, { by, reason: `again from ${id}` });
      const old = await Promise.all(ticketIds.map(async (ticketId) => tickets.get(ticketId)));
      const wanted = old.flatMap((ticket) => {
        if (ticket === undefined) return [];
        const { budget, queue, kind, payload, variant, maxAttempts, externalRef } = ticket;
        const newTicket = {
          id: ticketIdOf(newId, externalRef ?? ticket.id),
          budget,
          queue,
          batchId: newId,
          kind,
          payload,
          variant,
          maxAttempts,
        };
        return [newTicketSchema.parse(externalRef === undefined ? newTicket : { ...newTicket, externalRef })];
      });
      await tickets.addAll(wanted);
      return submit(newId);
    },
    change: async (id, change, expectedVersion) => batches.change(id, change, expectedVersion),
  };
}

function viewOfBatch(batch: Batch, endedBySlot: ReadonlyMap<number, number>, now: number): BatchView {
  const { counts, spentMicroUsd, estimate, limits, pilotPassed } = batch;
  const tickets = ticketStates.reduce((sum, state) => sum + counts[state], 0);
  const p50MicroUsd = estimate === undefined ? 0 : Math.round(estimate.p50MicroUsd / Math.max(1, estimate.tickets));
  const unsuccessful = unsuccessfulStates.reduce((sum, state) => sum + counts[state], 0);
  const facts = { pilotPassed, succeeded: counts.succeeded, unsuccessful, spentMicroUsd, limits };
  const progress = batchProgress({ counts, spentMicroUsd, p50MicroUsd, endedBySlot }, now);
  const isOver = batch.state !== "open" || progress.ended === tickets;
  return { ...batch, progress, stop: isOver ? null : (stopOf(facts, now) ?? null) };
}

/** Whether nothing will happen to a batch any more. */
export function isThrough({ state, progress }: Pick<BatchView, "state" | "progress">): boolean {
  return state === "done" || (state === "cancelled" && progress.ended === progress.tickets);
}
