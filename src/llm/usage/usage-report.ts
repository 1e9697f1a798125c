import type { z } from "zod";
import type { Prefix } from "../../../packages/sdk/src/wire/prefix.ts";
import type { UsageEvent, usageReportSchema } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import { cacheMissOf, readDiagnostics } from "./cache-miss.ts";
import { normalizeUsage } from "./normalize-usage.ts";
import { costOf, type PriceTable } from "./price-table.ts";
import { noTokens } from "./token-partition.ts";

/** Normalises and prices one report; `prefix` is the report's own once it was read. Pure; never refuses: what cannot be read or priced is marked. */
export function priceReport(report: z.output<typeof usageReportSchema>, prices: PriceTable, now: Instant, prefix?: Prefix): UsageEvent {
  const { usage, shape, at, prefix: _, diagnostics, ...rest } = report;
  const plausible = at !== undefined && at >= now - 7 * dayMs && at <= now + 300_000;
  const base = { ...rest, at: plausible ? at : now };
  // A failed request without usage cost nothing; a successful one without usage is an anomaly.
  if (usage === undefined && rest.outcome !== "ok") return { ...base, tokens: noTokens, costMicroUsd: 0 };
  const reply = normalizeUsage(usage, rest.provider, shape);
  if (reply.kind === "anomaly") return { ...base, tokens: noTokens, costMicroUsd: 0, anomaly: reply.reason };
  const cost = costOf(reply.tokens, prices.find(rest.provider, rest.model, base.at), reply.serviceTier ?? rest.serviceTier);
  const diagnosis = readDiagnostics(diagnostics);
  const cacheMiss = cacheMissOf({ tokens: reply.tokens, turn: rest.turn, diagnosis, ...(prefix === undefined ? {} : { prefix }) });
  const read = { ...base, tokens: reply.tokens, ...(cacheMiss === undefined ? {} : { cacheMiss }) };
  return cost.kind === "priced" ? { ...read, costMicroUsd: cost.costMicroUsd } : { ...read, costMicroUsd: 0, unpriced: cost.reason };
}
