import type { z } from "zod";
import type { Prefix } from "../../../packages/sdk/src/wire/prefix.ts";
import type { UsageEvent, usageReportSchema } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import { cacheMissOf, readDiagnostics } from "./cache-miss.ts";
import { costOf } from "./cost-of.ts";
import { normalizeUsage } from "./normalize-usage.ts";
import type { PriceTable } from "./price-table.ts";
import { noTokens } from "./token-partition.ts";

/** Normalises and prices one report; `prefix` is the report's own once it was read. Pure; never refuses: what cannot be read or priced is marked. */
export type ReportPricer = (report: z.output<typeof usageReportSchema>, prefix?: Prefix) => UsageEvent;

/** Details are kept with every event that has no price. */
const maxDetail = 300;

/** Prices reports that arrive at `now`. A closure, so that pricing a report creates no object besides its event. */
export function createReportPricer(prices: PriceTable, now: Instant): ReportPricer {
  return (report, prefix) => {
    const { usage, shape, at, prefix: _, diagnostics, ...fields } = report;
    const plausible = at !== undefined && at >= now - 7 * dayMs && at <= now + 300_000;
    const base = { ...fields, at: plausible ? at : now };
    // A failed request without usage cost nothing; a successful one without usage is an anomaly.
    if (usage === undefined && fields.outcome !== "ok") return { ...base, tokens: noTokens, costMicroUsd: 0 };
    const partition = normalizeUsage(usage, fields.provider, shape);
    if (partition.kind === "anomaly") {
      return { ...base, tokens: noTokens, costMicroUsd: 0, anomaly: partition.reason, detail: partition.detail.slice(0, maxDetail) };
    }
    const terms = fields.serviceTier === undefined ? partition.terms : { serviceTier: fields.serviceTier, ...partition.terms };
    const cost = costOf(partition.tokens, prices.find(fields.provider, fields.model, base.at), terms);
    const diagnosis = readDiagnostics(diagnostics);
    const cacheMiss = cacheMissOf({ tokens: partition.tokens, turn: fields.turn, diagnosis, ...(prefix === undefined ? {} : { prefix }) });
    const read = { ...base, tokens: partition.tokens, ...(cacheMiss === undefined ? {} : { cacheMiss }) };
    return cost.kind === "priced"
      ? { ...read, costMicroUsd: cost.costMicroUsd }
      : { ...read, costMicroUsd: 0, unpriced: cost.reason, detail: cost.detail.slice(0, maxDetail) };
  };
}
