import { z } from "zod";
import type { Instant } from "../core/clock.ts";
import type { MicroUsd } from "../core/money.ts";
import type { CacheMiss, Prefix } from "../core/prefix-sample.ts";
import { cacheMissOf, readDiagnostics } from "./cache-miss.ts";
import { budgetIdSchema, externalIdSchema, queueNameSchema, shortNameSchema } from "./names.ts";
import { normaliseUsage, usageShapes } from "./normalise-usage.ts";
import { costOf, type PriceTable } from "./price-table.ts";
import { noTokens, type TokenPartition, type UsageAnomaly } from "./token-partition.ts";

/** How a model request ended; a metric label. */
export const requestOutcomes = ["ok", "rate_limited", "spend_limited", "overloaded", "error", "refusal"] as const;

/** One model request as the application reports it. */
export const usageReportSchema = z.strictObject({
  /** The provider's request id. The same id is counted once, however often it is sent. */
  id: externalIdSchema,
  /** When the request ended, UTC ms; the time of receipt when absent or out of [-7 d, +5 min]. */
  at: z.int().optional(),
  provider: z.string().min(1).max(60),
  /** The model that answered. */
  model: z.string().min(1).max(120),
  /** The model that was asked for, when it differs. */
  requestModel: z.string().min(1).max(120).optional(),
  operation: shortNameSchema,
  prompt: shortNameSchema,
  promptVersion: z.string().max(60).optional(),
  budget: budgetIdSchema,
  queue: queueNameSchema.default("default"),
  /** Who answers for the work, and the repository that it is on. */
  team: z.string().min(1).max(60).optional(),
  repo: z.string().min(1).max(120).optional(),
  ticketId: externalIdSchema,
  batchId: externalIdSchema.optional(),
  /** Kept with the event. What is settled is the one lease that the ticket has on the budget. */
  leaseId: z.string().max(64).optional(),
  attempt: z.int().min(1).max(10_000).default(1),
  turn: z.int().min(0).max(1_000_000).default(0),
  variant: shortNameSchema.default("baseline"),
  serviceTier: z.string().max(40).optional(),
  /** The usage object as provider or library wrote it; absent for a request that failed before it cost anything. */
  usage: z.unknown().optional(),
  shape: z.enum(usageShapes).optional(),
  outcome: z.enum(requestOutcomes).default("ok"),
  error: z.string().max(200).optional(),
  latencyMs: z.number().min(0).max(86_400_000).optional(),
  ttftMs: z.number().min(0).max(86_400_000).optional(),
  traceId: z.string().max(64).optional(),
  /** The prompt as hashes of its blocks, see `prefixSchema`. One that does not fit is told and left out; the usage is counted all the same. */
  prefix: z.unknown().optional(),
  /** What the provider said about the cache, untouched: Anthropic's `diagnostics`, OpenAI's `prompt_cache_diagnostics`. Null is Anthropic's "no divergence". */
  diagnostics: z.unknown().optional(),
});

/** One model request as the application sends it; see {@link usageReportSchema}. */
export type UsageReport = Omit<z.input<typeof usageReportSchema>, "prefix"> & { readonly prefix?: Prefix };

/** A report with its partition and its price. */
export interface UsageEvent extends Omit<z.output<typeof usageReportSchema>, "usage" | "shape" | "at" | "prefix" | "diagnostics"> {
  readonly at: Instant;
  readonly tokens: TokenPartition;
  /** 0 while `unpriced` or anomalous; those are counted apart. */
  readonly costMicroUsd: MicroUsd;
  /** Why it has no price. */
  readonly unpriced?: "unknown_model" | "unknown_tier" | "unknown_cache_price";
  /** Why its usage could not be read; its tokens are unknown then, not none. */
  readonly anomaly?: UsageAnomaly;
  /** Why the provider's cache was missed, where that is known. */
  readonly cacheMiss?: CacheMiss;
}

const dayMs = 86_400_000;

/** Normalises and prices one report; `prefix` is the report's own once it was read. Pure; never refuses: what cannot be read or priced is marked. */
export function priceReport(report: z.output<typeof usageReportSchema>, prices: PriceTable, now: Instant, prefix?: Prefix): UsageEvent {
  const { usage, shape, at, prefix: _, diagnostics, ...rest } = report;
  const plausible = at !== undefined && at >= now - 7 * dayMs && at <= now + 300_000;
  const base = { ...rest, at: plausible ? at : now };
  // A failed request without usage cost nothing; a successful one without usage is an anomaly.
  if (usage === undefined && rest.outcome !== "ok") return { ...base, tokens: noTokens, costMicroUsd: 0 };
  const reply = normaliseUsage(usage, rest.provider, shape);
  if (reply.kind === "anomaly") return { ...base, tokens: noTokens, costMicroUsd: 0, anomaly: reply.reason };
  const cost = costOf(reply.tokens, prices.find(rest.provider, rest.model, base.at), reply.serviceTier ?? rest.serviceTier);
  const diagnosis = readDiagnostics(diagnostics);
  const cacheMiss = cacheMissOf({ tokens: reply.tokens, turn: rest.turn, diagnosis, ...(prefix === undefined ? {} : { prefix }) });
  const read = { ...base, tokens: reply.tokens, ...(cacheMiss === undefined ? {} : { cacheMiss }) };
  return cost.kind === "priced" ? { ...read, costMicroUsd: cost.costMicroUsd } : { ...read, costMicroUsd: 0, unpriced: cost.reason };
}
