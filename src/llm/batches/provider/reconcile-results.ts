import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import type { TokenPartition, UsageAnomaly } from "../../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../../core/clock.ts";
import type { MicroUsd } from "../../../core/money.ts";
import { type CostResult, costOf } from "../../usage/cost-of.ts";
import type { PriceTable } from "../../usage/price-table.ts";
import { type ItemErrorClass, type ItemOutcome, isRetryable, type ProviderResult } from "./provider-batch.ts";

/** An item is submitted at most so often again. */
export const maxResubmissions = 2;

/** What we know of one item that was submitted. */
export interface SubmittedItem {
  readonly customId: string;
  readonly ticketId: string;
  /** Submissions of this ticket that came before this one and ended without an answer; 0 for the first. */
  readonly resubmissions: number;
}

/** What an answer cost, or why that is unknown. */
export type AnswerCost =
  | { readonly kind: "priced"; readonly tokens: TokenPartition; readonly costMicroUsd: MicroUsd }
  | { readonly kind: "unpriced"; readonly tokens: TokenPartition; readonly reason: (CostResult & { kind: "unpriced" })["reason"] }
  | { readonly kind: "anomaly"; readonly reason: UsageAnomaly };

/** An answer that is billed. */
export interface Answered {
  readonly answerId: string;
  readonly model: string;
  readonly cost: AnswerCost;
  readonly answer: Json;
}

/**
 * What happens to one item. `resubmit`: once more, as it is. `pause`: the money is gone, so the batch waits and the item is submitted again later without
 * that counting. `dead`: the dead letters. `person`: refused by the model, or never answered. `wait`: no result yet, read again.
 */
export type ItemVerdict =
  | ({ readonly kind: "succeeded" } & Answered)
  | { readonly kind: "resubmit"; readonly reason: "expired" | ItemErrorClass }
  | { readonly kind: "pause"; readonly reason: "provider_spend_limit" }
  | { readonly kind: "dead"; readonly reason: "expired" | ItemErrorClass; readonly message: string }
  | ({ readonly kind: "person"; readonly reason: "refusal" } & Answered)
  | { readonly kind: "person"; readonly reason: "no_result" }
  | { readonly kind: "canceled" }
  | { readonly kind: "wait" };

/** The whole batch, item by item, and everything in the results that did not fit. */
export interface Reconciliation {
  /** One verdict for each item that was submitted, in the order of submission. */
  readonly verdicts: readonly { readonly item: SubmittedItem; readonly verdict: ItemVerdict }[];
  readonly counts: { readonly [Kind in ItemVerdict["kind"]]: number };
  /** Sum over all answers of ours, each once. */
  readonly costMicroUsd: MicroUsd;
  /** Answers whose cost is unknown. */
  readonly unpriced: number;
  /** Ids that are none of ours, each once, sorted; nothing is done with them. */
  readonly unknownIds: readonly string[];
  /** Ids of ours that came more than once, sorted. Each counts once. */
  readonly doubleIds: readonly string[];
  /** Of these, the ones whose results differ. */
  readonly conflictingIds: readonly string[];
  readonly unreadableLines: number;
}

/** What reconciling goes by. */
export interface ReconcileFacts {
  readonly provider: string;
  readonly items: readonly SubmittedItem[];
  readonly prices: Pick<PriceTable, "find">;
  /** When the batch ended at the provider: prices are those of that day. */
  readonly endedAt: Instant;
  /** Nobody waits for missing results any more. */
  readonly isOverdue: boolean;
  /** What an item without a result has come to, where the provider names no such items. */
  readonly unnamed?: "canceled" | "expired";
}

/**
 * Matches results with items by custom id. The order of the results changes nothing, and neither does a result that comes twice: of two that differ
 * an answer wins over an error, an error over an expiry, an expiry over a cancellation, for what was answered is billed.
 */
export function reconcileResults(results: Iterable<ProviderResult>, facts: ReconcileFacts): Reconciliation {
  const ours = new Map(facts.items.map((item) => [item.customId, item]));
  const best = new Map<string, ItemOutcome>();
  const unknown = new Set<string>();
  const doubles = new Set<string>();
  const conflicts = new Set<string>();
  let unreadableLines = 0;
  for (const result of results) {
    if (result.kind === "unreadable") unreadableLines += 1;
    else if (!ours.has(result.customId)) unknown.add(result.customId);
    else {
      const previous = best.get(result.customId);
      if (previous !== undefined) doubles.add(result.customId);
      if (previous !== undefined && rankOf(previous) !== rankOf(result.outcome)) conflicts.add(result.customId);
      if (previous === undefined || rankOf(result.outcome) < rankOf(previous)) best.set(result.customId, result.outcome);
    }
  }

  // A line that cannot be read may be anybody's, so the items that no line names are not known to be cancelled or expired.
  const unnamed: ItemOutcome | undefined = facts.unnamed === undefined || unreadableLines > 0 ? undefined : { kind: facts.unnamed };
  const verdicts = [...ours.values()].map((item) => ({ item, verdict: judge(item, best.get(item.customId) ?? unnamed, facts) }));
  const counts = { succeeded: 0, resubmit: 0, pause: 0, dead: 0, person: 0, canceled: 0, wait: 0 };
  let costMicroUsd = 0;
  let unpriced = 0;
  for (const { verdict } of verdicts) {
    counts[verdict.kind] += 1;
    if (!("cost" in verdict)) continue;
    if (verdict.cost.kind === "priced") costMicroUsd += verdict.cost.costMicroUsd;
    else unpriced += 1;
  }
  return {
    verdicts,
    counts,
    costMicroUsd,
    unpriced,
    unknownIds: [...unknown].sort(),
    doubleIds: [...doubles].sort(),
    conflictingIds: [...conflicts].sort(),
    unreadableLines,
  };
}

/** Sorts outcomes: the smallest is the one that holds. Two of equal rank are the same outcome told twice. */
function rankOf(outcome: ItemOutcome): string {
  switch (outcome.kind) {
    case "succeeded":
      return `0 ${outcome.answerId}`;
    case "errored":
      return `1 ${outcome.errorClass}`;
    case "expired":
      return "2";
    case "canceled":
      return "3";
  }
}

function judge(item: SubmittedItem, outcome: ItemOutcome | undefined, facts: ReconcileFacts): ItemVerdict {
  if (outcome === undefined) return facts.isOverdue ? { kind: "person", reason: "no_result" } : { kind: "wait" };
  if (outcome.kind === "canceled") return { kind: "canceled" };
  if (outcome.kind === "succeeded") {
    const answered = { answerId: outcome.answerId, model: outcome.model, cost: priceOf(outcome, facts), answer: outcome.answer };
    return outcome.isRefusal ? { kind: "person", reason: "refusal", ...answered } : { kind: "succeeded", ...answered };
  }
  if (outcome.kind === "expired") {
    const message = `expired at the provider ${item.resubmissions + 1} times`;
    return item.resubmissions < maxResubmissions ? { kind: "resubmit", reason: "expired" } : { kind: "dead", reason: "expired", message };
  }
  const { errorClass, message } = outcome;
  if (errorClass === "provider_spend_limit") return { kind: "pause", reason: errorClass };
  return isRetryable(errorClass) && item.resubmissions < maxResubmissions
    ? { kind: "resubmit", reason: errorClass }
    : { kind: "dead", reason: errorClass, message };
}

function priceOf({ model, usage }: ItemOutcome & { kind: "succeeded" }, { provider, prices, endedAt }: ReconcileFacts): AnswerCost {
  if (usage.kind === "anomaly") return { kind: "anomaly", reason: usage.reason };
  // Whatever tier the usage names, a request of a batch is billed as one.
  const cost = costOf(usage.tokens, prices.find(provider, model, endedAt), { ...usage.terms, serviceTier: "batch" });
  return cost.kind === "unpriced"
    ? { kind: "unpriced", tokens: usage.tokens, reason: cost.reason }
    : { kind: "priced", tokens: usage.tokens, costMicroUsd: cost.costMicroUsd };
}

/** Share by which our cost may differ from the provider's before it is reported. */
export const toleratedDelta = 0.02;

/** How our count stands to the provider's. */
export interface CostComparison {
  readonly oursMicroUsd: MicroUsd;
  readonly providerMicroUsd: MicroUsd;
  /** (ours − provider) ÷ provider. Undefined when the provider shows no cost while we counted some: then nothing can be said. */
  readonly deltaRatio: number | undefined;
  readonly isWithin: boolean;
}

/** Compares two sums over the same batches. */
export function compareCosts(oursMicroUsd: MicroUsd, providerMicroUsd: MicroUsd): CostComparison {
  const nothing = oursMicroUsd === 0 && providerMicroUsd === 0;
  const deltaRatio = nothing ? 0 : providerMicroUsd === 0 ? undefined : (oursMicroUsd - providerMicroUsd) / providerMicroUsd;
  return { oursMicroUsd, providerMicroUsd, deltaRatio, isWithin: deltaRatio !== undefined && Math.abs(deltaRatio) <= toleratedDelta };
}
