import type { Clock, Instant } from "../../../core/clock.ts";
import type { PriceTable } from "../../usage/price-table.ts";
import { afterFailure, afterSearch, judgeStatus, nextProviderMove, type ProviderTimeouts } from "./next-provider-move.ts";
import type { ClosedProviderBatch, OpenProviderBatch, ProviderBatchStore } from "./open-provider-batch.ts";
import {
  customIdOf,
  type InputFault,
  type ProviderBatches,
  type ProviderBatchItem,
  ProviderFailure,
  type ProviderResult,
} from "./provider-batch.ts";
import { type ItemVerdict, type Reconciliation, reconcileResults, type SubmittedItem } from "./reconcile-results.ts";

/** What owns the tickets. Every member is idempotent: after a crash the same is said again. */
export interface TicketSide {
  /** The request of each item, in any order. An item that has none is never answered, and comes to a person in the end. */
  bodiesOf(batch: OpenProviderBatch): Promise<readonly ProviderBatchItem[]>;
  /** Applies a verdict to its ticket and counts what it cost, once per answer id. `wait` never comes here. */
  settle(batch: OpenProviderBatch, item: SubmittedItem, verdict: ItemVerdict): Promise<void>;
  /** Nothing more can be submitted for this batch of ours until a person has changed something. */
  pause(batch: OpenProviderBatch, reason: string): Promise<void>;
}

/** Whom the desk needs. */
export interface ProviderBatchReconcilerDeps {
  readonly store: ProviderBatchStore;
  /** By OTel's name. */
  readonly providers: { readonly [provider: string]: ProviderBatches };
  readonly tickets: TicketSide;
  readonly prices: Pick<PriceTable, "find">;
  readonly clock: Pick<Clock, "now">;
  readonly timeouts: ProviderTimeouts;
}

/** What is handed to a provider, before it has a record. */
export interface NewSubmission {
  readonly key: string;
  readonly provider: string;
  readonly batchId: string;
  readonly ticketIds: readonly string[];
}

/** Submits, follows, cancels and settles provider batches. Every look goes on from what is stored. */
export interface ProviderBatchReconciler {
  /** Records the submission; a look sends it. The same key again changes nothing. */
  submit(submission: NewSubmission): Promise<"opened" | "known">;
  /** One step for each open submission, and what was closed by it. A provider in trouble stops none of the others. */
  reconcile(signal?: AbortSignal): Promise<readonly ClosedProviderBatch[]>;
  /** Cancels all submissions of a batch of ours; irreversible for what has been answered. Says how many. */
  cancel(batchId: string): Promise<number>;
  /** Submits what is held once more, after a person has mended the reason. Says how many. */
  resume(batchId: string): Promise<number>;
  /** Whether a submission of this batch of ours is not settled. */
  isOpen(batchId: string): Promise<boolean>;
}

/** A submission that goes on with some items of one that is settled. */
interface FollowUp {
  readonly key: string;
  readonly items: readonly { readonly item: SubmittedItem; readonly resubmissions: number }[];
  readonly state: "ready" | "paused";
}

/** See {@link ProviderBatchReconciler}. */
export function createProviderBatchReconciler(deps: ProviderBatchReconcilerDeps): ProviderBatchReconciler {
  const { store, clock, timeouts } = deps;

  const open = async (key: string, batch: Pick<OpenProviderBatch, "provider" | "batchId" | "items" | "state" | "reason" | "cancel">) =>
    store.open({ ...batch, key, notBefore: clock.now(), revision: 0 });

  /** Sends what is ready. The record says `submitting` before anything is sent, so that nobody else sends it. */
  const send = async (batch: OpenProviderBatch, port: ProviderBatches, signal?: AbortSignal): Promise<ClosedProviderBatch | undefined> => {
    const sending = await store.put({ ...batch, state: "submitting", startedAt: clock.now() });
    if (sending === undefined) return undefined;
    const items = await deps.tickets.bodiesOf(sending);
    try {
      const id = await port.submit({ key: batch.key, items }, signal);
      await store.put({ ...sending, state: "submitted", id, reason: "" });
    } catch (error) {
      return failed(sending, error);
    }
    return undefined;
  };

  const failed = async (batch: OpenProviderBatch, error: unknown): Promise<ClosedProviderBatch | undefined> => {
    if (!(error instanceof ProviderFailure)) throw error;
    const next = afterFailure(batch, error, { now: clock.now(), againMs: timeouts.againMs });
    if (next === undefined) return refuse(batch, [{ code: error.trouble, message: error.message }]);
    const put = await store.put(next);
    if (put?.state === "paused") await deps.tickets.pause(put, put.reason);
    return undefined;
  };

  const follow = async (batch: OpenProviderBatch, port: ProviderBatches, signal?: AbortSignal) => {
    const id = batch.id ?? "";
    const status = await port.read(id, signal);
    if (batch.cancel && (status.state === "running" || status.state === "validating")) await port.cancel(id, signal);
    const meaning = judgeStatus(status);
    if (meaning === "refused") return refuse(batch, status.faults);
    if (meaning === "wait") return undefined;
    const endedAt = status.endedAt ?? clock.now();
    const endedBatch = batch.endedAt === undefined ? await store.put({ ...batch, endedAt }) : batch;
    if (endedBatch === undefined) return undefined;
    const results: ProviderResult[] = [];
    for await (const result of port.results(id, signal)) results.push(result);
    const reconciliation = reconcileResults(results, {
      provider: batch.provider,
      items: batch.items,
      prices: deps.prices,
      endedAt,
      isOverdue: clock.now() - endedAt >= timeouts.resultsMs,
      ...(status.unnamed !== undefined && { unnamed: status.unnamed }),
    });
    if (reconciliation.counts.wait === 0) return settle(endedBatch, endedAt, reconciliation);
    await store.put({ ...endedBatch, reason: "results_missing", notBefore: clock.now() + timeouts.againMs });
    return undefined;
  };

  /** The tickets first, then what is submitted again, then the end: a crash in between repeats, and loses nothing. */
  const settle = async (
    batch: OpenProviderBatch,
    endedAt: Instant,
    reconciliation: Reconciliation,
  ): Promise<ClosedProviderBatch | undefined> => {
    for (const { item, verdict } of reconciliation.verdicts) await deps.tickets.settle(batch, item, verdict);
    const again = reconciliation.verdicts.flatMap(({ item, verdict }) =>
      verdict.kind === "resubmit" ? [{ item, resubmissions: item.resubmissions + 1 }] : [],
    );
    const paused = reconciliation.verdicts.flatMap(({ item, verdict }) =>
      verdict.kind === "pause" ? [{ item, resubmissions: item.resubmissions }] : [],
    );
    await reopen(batch, { key: `${batch.key}+`, items: again, state: "ready" });
    await reopen(batch, { key: `${batch.key}~`, items: paused, state: "paused" });
    const { counts, costMicroUsd, unpriced, unreadableLines } = reconciliation;
    return close(batch, {
      endedAt,
      counts,
      costMicroUsd,
      unpriced,
      unreadableLines,
      unknownIds: reconciliation.unknownIds.length,
      doubleIds: reconciliation.doubleIds.length,
      conflictingIds: reconciliation.conflictingIds.length,
    });
  };

  const reopen = async (batch: OpenProviderBatch, { key, items, state }: FollowUp): Promise<void> => {
    if (items.length === 0) return;
    const fresh = items.map(({ item, resubmissions }) => ({
      ticketId: item.ticketId,
      customId: customIdOf(key, item.ticketId),
      resubmissions,
    }));
    const reason = state === "paused" ? "spend_limited" : "";
    const { provider, batchId, cancel } = batch;
    const opened = { provider, batchId, items: fresh, state, reason, cancel };
    await open(key, opened);
    if (state === "paused") await deps.tickets.pause({ ...opened, key, notBefore: 0, revision: 0 }, reason);
  };

  /** Every item gets the same verdict, without a word of the provider about it. */
  const settleAll = async (batch: OpenProviderBatch, verdict: ItemVerdict): Promise<ClosedProviderBatch | undefined> => {
    for (const item of batch.items) await deps.tickets.settle(batch, item, verdict);
    const none = { succeeded: 0, resubmit: 0, pause: 0, dead: 0, person: 0, canceled: 0, wait: 0 };
    const nothing = { costMicroUsd: 0, unpriced: 0, unknownIds: 0, doubleIds: 0, conflictingIds: 0, unreadableLines: 0 };
    return close(batch, { endedAt: clock.now(), counts: { ...none, [verdict.kind]: batch.items.length }, ...nothing });
  };
  const refuse = async (batch: OpenProviderBatch, faults: readonly InputFault[]) => {
    const message = faults
      .map(({ code, line, message: text }) => `${code}${line === undefined ? "" : ` in line ${line}`}: ${text}`)
      .join("; ");
    return settleAll(batch, { kind: "dead", reason: "invalid_request", message: message.slice(0, 300) });
  };
  const close = async (
    batch: OpenProviderBatch,
    sums: Omit<ClosedProviderBatch, "key" | "provider" | "batchId" | "startedAt" | "closedAt">,
  ): Promise<ClosedProviderBatch | undefined> => {
    const { key, provider, batchId, startedAt = clock.now() } = batch;
    const closed = { key, provider, batchId, startedAt, closedAt: clock.now(), ...sums };
    return (await store.close(batch, closed)) ? closed : undefined;
  };

  const step = async (batch: OpenProviderBatch, signal?: AbortSignal): Promise<ClosedProviderBatch | undefined> => {
    const move = nextProviderMove(batch, clock.now(), timeouts);
    if (move === "wait") return undefined;
    if (move === "drop") return settleAll(batch, { kind: "canceled" });
    const port = deps.providers[batch.provider];
    if (port === undefined) {
      if (batch.reason !== "not_configured") await store.put({ ...batch, reason: "not_configured" });
      return undefined;
    }
    if (move === "submit") return send(batch, port, signal);
    try {
      if (move === "read") return await follow(batch, port, signal);
      const storedIds = (await store.list()).flatMap(({ id }) => (id === undefined ? [] : [id]));
      const customIds = batch.items.map(({ customId }) => customId);
      const searchResult = await port.find({ key: batch.key, customIds, since: batch.startedAt ?? 0, known: storedIds }, signal);
      await store.put(afterSearch(batch, searchResult, { now: clock.now(), againMs: timeouts.againMs }));
      return undefined;
    } catch (error) {
      // A search that failed says nothing about the submission: it stays lost.
      if (!(error instanceof ProviderFailure)) throw error;
      await store.put({ ...batch, reason: error.trouble, notBefore: clock.now() + Math.max(timeouts.againMs, error.retryAfterMs ?? 0) });
      return undefined;
    }
  };

  const changeAll = async (batchId: string, change: (batch: OpenProviderBatch) => OpenProviderBatch | undefined): Promise<number> => {
    let changed = 0;
    for (const batch of await store.list()) {
      const next = batch.batchId === batchId ? change(batch) : undefined;
      if (next !== undefined && (await store.put(next)) !== undefined) changed += 1;
    }
    return changed;
  };

  return {
    submit: async ({ key, provider, batchId, ticketIds }) => {
      const items = ticketIds.map((ticketId) => ({ ticketId, customId: customIdOf(key, ticketId), resubmissions: 0 }));
      return open(key, { provider, batchId, items, state: "ready", reason: "", cancel: false });
    },
    async reconcile(signal) {
      const closed: ClosedProviderBatch[] = [];
      const faults: unknown[] = [];
      for (const batch of await store.list()) {
        try {
          const result = await step(batch, signal);
          if (result !== undefined) closed.push(result);
        } catch (error) {
          if (signal?.aborted === true) throw error;
          faults.push(error);
        }
      }
      if (faults.length > 0) throw new AggregateError(faults, "Some provider batches could not be looked after.");
      return closed;
    },
    cancel: async (batchId) =>
      changeAll(batchId, (batch) => (batch.cancel ? undefined : { ...batch, cancel: true, notBefore: clock.now() })),
    resume: async (batchId) =>
      changeAll(batchId, (batch) =>
        batch.state === "paused" ? { ...batch, state: "ready", reason: "", notBefore: clock.now() } : undefined,
      ),
    isOpen: async (batchId) => (await store.list()).some((batch) => batch.batchId === batchId),
  };
}
