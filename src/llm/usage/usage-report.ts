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

/**
 * Normalises and prices one report; `prefix` is the report's own once it was read. Pure; never refuses: what cannot be read or priced is marked, and costs 0
 * until the ledger has estimated it.
 */
export type ReportPricer = (report: z.output<typeof usageReportSchema>, prefix?: Prefix) => UsageEvent;

/** Details are kept with every event that has no price. */
const maxDetail = 300;
const maxWord = 40;
const maxTools = 20;
const maxKeys = 30;

/** How far a sender's clock may be ahead; a later time is taken for the time of receipt. */
const maxAheadMs = 300_000;

/** Default of `RUNBOOKD_USAGE_DAYS`, in milliseconds. */
export const defaultMaxAgeMs = 2 * dayMs;

/** Prices reports that arrive at `now`. A closure, so that pricing a report creates no object besides its event. */
export function createReportPricer(prices: PriceTable, now: Instant): ReportPricer {
  return (report, prefix) => {
    const { usage, shape, at, prefix: _, diagnostics, ...fields } = report;
    const base = { ...fields, at: at === undefined || at > now + maxAheadMs ? now : at };
    // A failed request without usage cost nothing; a successful one without usage is an anomaly.
    if ((usage === undefined || usage === null) && fields.outcome !== "ok") return { ...base, tokens: noTokens, costMicroUsd: 0 };
    const partition = normalizeUsage(usage, fields.provider, shape);
    if (partition.kind === "anomaly") {
      const nearest = partition.shape ?? shape;
      return {
        ...base,
        tokens: noTokens,
        costMicroUsd: 0,
        anomaly: partition.reason,
        detail: partition.detail.slice(0, maxDetail),
        ...(nearest === undefined ? {} : { shape: nearest }),
        ...keysOf(usage),
      };
    }
    const terms = fields.serviceTier === undefined ? partition.terms : { serviceTier: fields.serviceTier, ...partition.terms };
    const { serviceTier, speed, geography, tools } = terms;
    const besides = {
      shape: partition.shape,
      ...(serviceTier === undefined ? {} : { serviceTier: serviceTier.slice(0, maxWord) }),
      ...(speed === undefined ? {} : { speed: speed.slice(0, maxWord) }),
      ...(geography === undefined ? {} : { geography: geography.slice(0, maxWord) }),
      ...(tools === undefined || Object.keys(tools).length === 0
        ? {}
        : { tools: Object.fromEntries(Object.entries(tools).slice(0, maxTools)) }),
    };
    const cost = costOf(partition.tokens, prices.find(fields.provider, fields.model, base.at), terms);
    const diagnosis = readDiagnostics(diagnostics);
    const cacheMiss = cacheMissOf({ tokens: partition.tokens, turn: fields.turn, diagnosis, ...(prefix === undefined ? {} : { prefix }) });
    const read = { ...base, ...besides, tokens: partition.tokens, ...(cacheMiss === undefined ? {} : { cacheMiss }) };
    return cost.kind === "priced"
      ? { ...read, costMicroUsd: cost.costMicroUsd }
      : { ...read, costMicroUsd: 0, unpriced: cost.reason, detail: cost.detail.slice(0, maxDetail) };
  };
}

/** The names of an object that cannot be read, safe to print. */
function keysOf(usage: unknown): { readonly usageKeys?: string } {
  if (typeof usage !== "object" || usage === null) return {};
  const names = Object.keys(usage).slice(0, maxKeys);
  const safe = names.map((name) => name.slice(0, maxWord).replaceAll(/[^\w.-]/g, "?")).join(", ");
  return safe === "" ? {} : { usageKeys: safe.slice(0, maxDetail) };
}
