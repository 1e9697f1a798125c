import { z } from "zod";
import type { AdmissionGate } from "../../../../packages/sdk/src/wire/admissions.ts";
import type { Ticket } from "../../../../packages/sdk/src/wire/tickets.ts";
import type { UsageEvent } from "../../../../packages/sdk/src/wire/usage.ts";
import type { Clock } from "../../../core/clock.ts";
import type { EventSink } from "../../../core/event.ts";
import type { BudgetLedger } from "../../budgets/budget-ledger.ts";
import { hasEnded, type TicketStore } from "../../tickets/ticket.ts";
import { noTokens } from "../../usage/token-partition.ts";
import type { UsageCounted } from "../../usage/usage-ledger.ts";
import type { OpenProviderBatch } from "./open-provider-batch.ts";
import type { ProviderBatchItem } from "./provider-batch.ts";
import type { TicketSide } from "./provider-batch-reconciler.ts";
import type { AnswerCost, Answered, ItemVerdict, SubmittedItem } from "./reconcile-results.ts";

/** Payload of a ticket that a provider batch answers: one request in the provider's own shape. */
export const providerPayloadSchema = z.object({ request: z.record(z.string(), z.json()) });

/** Reason of a ticket that waits for a provider batch. */
export const providerReason = "provider_batch";

/** Whom the tickets' side needs. */
export interface ProviderTicketsDeps {
  readonly tickets: Pick<TicketStore, "get" | "claim" | "write">;
  readonly ledger: Pick<BudgetLedger, "record">;
  readonly publish: EventSink<UsageCounted>;
  readonly gate: Pick<AdmissionGate, "release">;
  readonly clock: Pick<Clock, "now">;
  /** Keeps a batch of ours from submitting more, with the reason. */
  readonly pause: (batchId: string, reason: string) => Promise<void>;
}

/** Applies verdicts to tickets and to the ledger. An answer counts once by its id; a ticket that has ended stays as it is. */
export function createProviderTickets(deps: ProviderTicketsDeps): TicketSide {
  const { tickets, clock } = deps;
  const holderOf = ({ key }: OpenProviderBatch) => `provider ${key}`;

  const count = async (ticket: Ticket, submission: Submission, verdict: ItemVerdict): Promise<void> => {
    if (!("cost" in verdict)) return;
    const event = { at: clock.now(), ...usageOf(ticket, submission, verdict) };
    const [result] = await deps.ledger.record([event]);
    if (result !== undefined && result.kind !== "unknown_budget") deps.publish({ kind: "usage_counted", usage: [result] });
  };

  const end = async (batch: OpenProviderBatch, ticketId: string, verdict: ItemVerdict): Promise<void> => {
    const change = changeOf(verdict);
    const claimed = await tickets.claim(ticketId, holderOf(batch));
    if (claimed === undefined) return;
    if (!hasEnded(claimed.state) && !(await tickets.write(ticketId, holderOf(batch), change))) return;
    const { budget, queue, batchId, kind, variant, state } = hasEnded(claimed.state) ? claimed : { ...claimed, ...change };
    const failureClass = "reason" in change && state === "dead" && verdict.kind === "dead" ? { failureClass: verdict.reason } : {};
    const outcome = state === "succeeded" || state === "dead" || state === "cancelled" ? { outcome: state } : {};
    await deps.gate.release({
      ticketId,
      budget,
      queue,
      kind,
      variant,
      ...(batchId !== undefined && { batchId }),
      ...outcome,
      ...failureClass,
    });
  };

  return {
    async bodiesOf(batch) {
      const bodies = await Promise.all(
        batch.items.map(async ({ ticketId, customId }): Promise<readonly ProviderBatchItem[]> => {
          const payload = providerPayloadSchema.safeParse((await tickets.get(ticketId))?.payload);
          return payload.success ? [{ customId, body: payload.data.request }] : [];
        }),
      );
      return bodies.flat();
    },
    async settle(batch, item, verdict) {
      const ticket = await tickets.get(item.ticketId);
      if (ticket === undefined) return;
      await count(ticket, { batch, item }, verdict);
      await end(batch, item.ticketId, verdict);
    },
    pause: async (batch, reason) => deps.pause(batch.batchId, reason),
  };
}

/** What a verdict makes of a ticket. */
function changeOf(verdict: ItemVerdict): { readonly state: Ticket["state"]; readonly reason: string; readonly saved?: Ticket["saved"] } {
  switch (verdict.kind) {
    case "succeeded":
      return { state: "succeeded", reason: "", saved: verdict.answer };
    case "dead":
      return { state: "dead", reason: `${verdict.reason}: ${verdict.message}`.slice(0, 300) };
    case "person":
      return { state: "waiting", reason: verdict.reason };
    case "canceled":
      return { state: "cancelled", reason: "batch_cancelled" };
    case "resubmit":
    case "pause":
    case "wait":
      return { state: "waiting", reason: providerReason };
  }
}

/** The item of a provider batch that a ticket was submitted as. */
interface Submission {
  readonly batch: OpenProviderBatch;
  readonly item: SubmittedItem;
}

function usageOf(
  ticket: Ticket,
  { batch: { provider, key }, item: { customId, resubmissions } }: Submission,
  answered: Extract<ItemVerdict, Answered>,
): Omit<UsageEvent, "at"> {
  const { id: ticketId, budget, queue, batchId, variant, kind } = ticket;
  return {
    id: answered.answerId,
    provider,
    model: answered.model,
    operation: "batch",
    prompt: kind,
    budget,
    queue,
    ticketId,
    ...(batchId !== undefined && { batchId }),
    attempt: resubmissions + 1,
    turn: 0,
    variant,
    serviceTier: "batch",
    outcome: answered.kind === "person" ? "refusal" : "ok",
    traceId: `${key} ${customId}`.slice(0, 64),
    ...moneyOf(answered.cost),
  };
}

function moneyOf(cost: AnswerCost): Pick<UsageEvent, "tokens" | "costMicroUsd" | "unpriced" | "anomaly"> {
  switch (cost.kind) {
    case "priced":
      return { tokens: cost.tokens, costMicroUsd: cost.costMicroUsd };
    case "unpriced":
      return { tokens: cost.tokens, costMicroUsd: 0, unpriced: cost.reason };
    case "anomaly":
      return { tokens: noTokens, costMicroUsd: 0, anomaly: cost.reason };
  }
}
