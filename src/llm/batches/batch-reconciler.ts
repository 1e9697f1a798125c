import type { AdmissionGate } from "../../../packages/sdk/src/wire/admissions.ts";
import type { BatchView } from "../../../packages/sdk/src/wire/batches.ts";
import type { Clock } from "../../core/clock.ts";
import { hasEnded, type TicketEnqueuer, type TicketStore } from "../tickets/ticket.ts";
import { adaptConcurrency } from "./adapt-concurrency.ts";
import type { BatchStore } from "./batch.ts";
import type { BatchControl } from "./batch-control.ts";
import type { ProviderBatchReconciler } from "./provider/provider-batch-reconciler.ts";

/** What the reconciler of batches needs. */
export interface BatchReconcilerDeps {
  readonly batches: BatchStore;
  readonly control: Pick<BatchControl, "get">;
  readonly tickets: Pick<TicketStore, "list" | "cancel" | "enqueue">;
  /** Where an ended ticket gives back what it had reserved. */
  readonly gate: Pick<AdmissionGate, "release">;
  readonly enqueuer: TicketEnqueuer;
  /** Where batches for a provider go; without it they wait. */
  readonly providerReconciler?: Pick<ProviderBatchReconciler, "submit" | "cancel" | "resume" | "isOpen">;
  readonly clock: Clock;
  /** What "per minute" means; a demo divides it. */
  readonly minuteMs: number;
}

/** Tickets of one batch that are in the queue and have not ended; enough for every worker, and few enough that waiting ones do not ask all day. */
const minEnqueued = 20;
const maxEnqueued = 1000;
/** Pages of a cancelled batch that one look goes through. */
const pagesPerPoll = 10;

/** Moves batches that were submitted or cancelled on. Every call starts from what is stored, so any number of processes may call at once. */
export function createBatchReconciler(deps: BatchReconcilerDeps): { reconcile(): Promise<void> } {
  const { batches, control, clock } = deps;
  const cursors = new Map<string, string>();

  const reconcileOne = async (id: string): Promise<void> => {
    const batch = await control.get(id);
    if (batch === undefined) return;
    if (batch.state === "cancelled" && !(await isAtProvider(batch))) await cancelTickets(batch);
    if (batch.state === "open") {
      await (batch.provider === undefined ? enqueueNext(batch) : submitToProvider(batch, batch.provider));
      await adapt(batch);
    }
    const { ended, tickets } = batch.progress;
    if (ended === tickets && (await batches.settle(id))) cursors.delete(id);
  };

  /** As many as can be worked on soon enter the queue: the leading group alone, or a window that moves on as tickets end. */
  const enqueueNext = async (batch: BatchView): Promise<void> => {
    if (batch.estimate === undefined || batch.gate === "paused" || batch.stop !== null) return;
    const { pilotTickets } = batch.limits;
    const window = Math.min(maxEnqueued, Math.max(minEnqueued, 3 * (batch.concurrencyNow ?? maxEnqueued)));
    const isPilotRunning = pilotTickets > 0 && !batch.pilotPassed && batch.progress.ended < pilotTickets;
    const upTo = Math.min(batch.estimate.tickets, batch.progress.ended + (isPilotRunning ? pilotTickets : window));
    const ids = await batches.nextToEnqueue(batch.id, upTo);
    if (ids.length === 0) return;
    await deps.tickets.enqueue(ids);
    const { budget, id: batchId } = batch;
    await deps.enqueuer.enqueueAll(
      ids.map((id) => ({ id, budget, batchId })),
      batch.queue,
    );
    await batches.setEnqueued(batch.id, batch.enqueued + ids.length);
  };

  /** A thousand at a time, always cut alike, so that the key of a submission always means the same tickets. */
  const submitToProvider = async (batch: BatchView, provider: string): Promise<void> => {
    if (deps.providerReconciler === undefined || batch.estimate === undefined || batch.gate === "paused" || batch.stop !== null) return;
    const { id: batchId, enqueued } = batch;
    await deps.providerReconciler.resume(batchId);
    const ticketIds = await batches.nextToEnqueue(batchId, Math.min(batch.estimate.tickets, enqueued + maxEnqueued));
    if (ticketIds.length === 0) return;
    await deps.providerReconciler.submit({ key: `${batchId}/${enqueued}`, provider, batchId, ticketIds });
    await batches.setEnqueued(batchId, enqueued + ticketIds.length);
  };

  /** What a provider has answered before it was cancelled is paid for and counts, so its tickets end by its results. */
  const isAtProvider = async ({ id, provider }: BatchView): Promise<boolean> => {
    if (deps.providerReconciler === undefined || provider === undefined) return false;
    await deps.providerReconciler.cancel(id);
    return deps.providerReconciler.isOpen(id);
  };

  const adapt = async (batch: BatchView): Promise<void> => {
    const now = clock.now();
    const { limits, adapted, requests, rateLimited } = batch;
    if (limits.concurrency === null) return;
    const before = adapted ?? { limit: limits.concurrency, cleanSince: batch.submittedAt ?? now, requests: 0, rateLimited: 0 };
    const requestCounts = { requests: requests - before.requests, rateLimited: rateLimited - before.rateLimited, now };
    const { requests: _requests, rateLimited: _rateLimited, ...state } = before;
    const rules = { maxConcurrency: limits.concurrency, cleanMs: 5 * deps.minuteMs, settleMs: deps.minuteMs };
    const move = adaptConcurrency(state, requestCounts, rules);
    if (move.kind === "wait" || (move.kind === "stay" && requestCounts.requests < 20)) return;
    await batches.change(batch.id, { adapted: { ...move.state, requests, rateLimited } }, batch.version);
  };

  /** What nobody works on ends here; what runs ends at its next turn, where the gate tells it. */
  const cancelTickets = async ({ id }: BatchView): Promise<void> => {
    for (let pages = 0; pages < pagesPerPoll; pages += 1) {
      const cursor = cursors.get(id);
      const page = await deps.tickets.list({ batchId: id }, cursor === undefined ? { limit: 200 } : { cursor, limit: 200 });
      await Promise.all(
        (page?.items ?? []).map(async (ticket) => {
          if (hasEnded(ticket.state) || !(await deps.tickets.cancel(ticket.id, "batch_cancelled"))) return;
          const { id: ticketId, budget, queue, variant, kind } = ticket;
          await deps.gate.release({ ticketId, budget, queue, variant, kind, batchId: id, outcome: "cancelled" });
        }),
      );
      if (page?.nextCursor === undefined) {
        // The next poll begins again: what ran has ended by then, or was put back.
        cursors.delete(id);
        return;
      }
      cursors.set(id, page.nextCursor);
    }
  };

  return {
    async reconcile() {
      for (const id of await batches.active()) await reconcileOne(id);
    },
  };
}
