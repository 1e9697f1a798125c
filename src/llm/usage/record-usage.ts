import type { z } from "zod";
import type { Prefix } from "../../../packages/sdk/src/wire/prefix.ts";
import { type UsageEvent, type UsageResult, usageReportSchema } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import type { EventSink } from "../../core/event.ts";
import { type PrefixSampleStore, readPrefix, sampleOf } from "./prefix-samples.ts";
import type { PriceTable } from "./price-table.ts";
import type { UsageCounted, UsageLedger } from "./usage-ledger.ts";
import { createReportPricer, type ReportPricer } from "./usage-report.ts";

/** Whom recording needs. */
export interface RecordDeps {
  readonly ledger: UsageLedger;
  readonly prices: PriceTable;
  readonly publish: EventSink<UsageCounted>;
  /** Where prefixes are kept; without it they are not. */
  readonly prefixes?: PrefixKeeping;
}

/** Keeping prefixes never stands in the way of counting money. */
export interface PrefixKeeping {
  readonly samples: Pick<PrefixSampleStore, "add">;
  readonly redact: (text: string) => string;
  /** Samples were not kept. */
  readonly lost: (error: unknown) => void;
}

/** Parses, prices and counts reports: one result each, in order. One that does not fit stops none of the others. */
export async function recordUsage(reports: readonly unknown[], now: Instant, deps: RecordDeps): Promise<UsageResult[]> {
  const price = createReportPricer(deps.prices, now);
  const parsed = reports.map((report) => readReport(report, price));
  const valid = parsed.filter((entry) => entry.kind === "known");
  const results = await deps.ledger.record(valid.map(({ event }) => event));
  const accepted = valid.filter((_, index) => results[index] === "accepted");
  deps.publish({ kind: "usage_counted", usage: accepted.map(({ event }) => event) });
  if (deps.prefixes !== undefined) await storePrefixes(accepted, deps.prefixes);
  let next = 0;
  return parsed.map((entry): UsageResult => {
    if (entry.kind === "invalid") {
      return {
        id: entry.id,
        result: "invalid",
        issues: entry.issues.map(({ path, message }) => `${path.join(".") || "(whole)"}: ${message}`),
      };
    }
    const result = results[next] ?? "unknown_budget";
    next += 1;
    const { event, prefixIssues } = entry;
    return { id: event.id, result: result, ...pricing(event), ...(prefixIssues.length === 0 ? {} : { prefixIssues: [...prefixIssues] }) };
  });
}

type ReadReport =
  | { readonly kind: "invalid"; readonly id: string; readonly issues: readonly z.core.$ZodIssue[] }
  | { readonly kind: "known"; readonly event: UsageEvent; readonly prefix: Prefix | undefined; readonly prefixIssues: readonly string[] };

function readReport(report: unknown, price: ReportPricer): ReadReport {
  const result = usageReportSchema.safeParse(report);
  if (!result.success) return { kind: "invalid", issues: result.error.issues, id: idOf(report) };
  const { prefix, issues: prefixIssues } = readPrefix(result.data.prefix);
  return { kind: "known", event: price(result.data, prefix), prefix, prefixIssues };
}

async function storePrefixes(
  accepted: readonly { readonly event: UsageEvent; readonly prefix: Prefix | undefined }[],
  { samples, redact, lost }: PrefixKeeping,
): Promise<void> {
  const newSamples = accepted.flatMap(({ event, prefix }) => (prefix === undefined ? [] : (sampleOf(event, prefix, redact) ?? [])));
  if (newSamples.length === 0) return;
  try {
    await samples.add(newSamples);
  } catch (error) {
    lost(error);
  }
}

function pricing({ costMicroUsd, unpriced, anomaly }: UsageEvent): Partial<UsageResult> {
  if (anomaly !== undefined) return { anomaly };
  return unpriced === undefined ? { costMicroUsd } : { unpriced };
}

function idOf(report: unknown): string {
  const id: unknown = typeof report === "object" && report !== null ? Object.entries(report).find(([key]) => key === "id")?.[1] : undefined;
  return typeof id === "string" ? id.slice(0, 128) : "";
}
