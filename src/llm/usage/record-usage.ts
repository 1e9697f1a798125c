import type { Prefix } from "../../../packages/sdk/src/wire/prefix.ts";
import { type UsageEvent, type UsageResult, usageReportSchema } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import type { EventSink } from "../../core/event.ts";
import { type PrefixSampleStore, readPrefix, sampleOf } from "./prefix-samples.ts";
import type { PriceTable } from "./price-table.ts";
import type { RefusedUsage, UsageCounted, UsageLedger, UsageRefused } from "./usage-ledger.ts";
import { createReportPricer, type ReportPricer } from "./usage-report.ts";

/** Whom recording needs. */
export interface RecordDeps {
  readonly ledger: UsageLedger;
  readonly prices: PriceTable;
  readonly publish: EventSink<UsageCounted | UsageRefused>;
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
  const answers = parsed.map((entry): UsageResult => {
    if (entry.kind === "invalid") return { id: entry.id, result: "invalid", issues: [...entry.issues] };
    const result = results[next] ?? "unknown_budget";
    next += 1;
    const { event, prefixIssues } = entry;
    return { id: event.id, result: result, ...pricing(event), ...(prefixIssues.length === 0 ? {} : { prefixIssues: [...prefixIssues] }) };
  });
  const refused = answers.flatMap(({ id, result, issues = [] }, index): RefusedUsage[] =>
    result === "invalid" || result === "unknown_budget" ? [{ index, id, reason: result, issues }] : [],
  );
  if (refused.length > 0) deps.publish({ kind: "usage_refused", reports: refused });
  return answers;
}

/** More say no more. */
const maxIssues = 20;

type ReadReport =
  | { readonly kind: "invalid"; readonly id: string; readonly issues: readonly string[] }
  | { readonly kind: "known"; readonly event: UsageEvent; readonly prefix: Prefix | undefined; readonly prefixIssues: readonly string[] };

function readReport(report: unknown, price: ReportPricer): ReadReport {
  const result = usageReportSchema.safeParse(report);
  if (!result.success) {
    const issues = result.error.issues.slice(0, maxIssues).map(({ path, message }) => `${path.join(".") || "(whole)"}: ${message}`);
    return { kind: "invalid", issues, id: idOf(report) };
  }
  try {
    const { prefix, issues: prefixIssues } = readPrefix(result.data.prefix);
    return { kind: "known", event: price(result.data, prefix), prefix, prefixIssues };
  } catch (error) {
    // A defect of ours, which the others of the request must not pay for: it would be met again with every repetition.
    return {
      kind: "invalid",
      issues: [`(whole): it cannot be read: ${error instanceof Error ? error.message : String(error)}`],
      id: result.data.id,
    };
  }
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

function pricing({ costMicroUsd, unpriced, anomaly, detail }: UsageEvent): Partial<UsageResult> {
  const why = detail === undefined ? {} : { detail };
  if (anomaly !== undefined) return { anomaly, ...why };
  return unpriced === undefined ? { costMicroUsd } : { unpriced, ...why };
}

function idOf(report: unknown): string {
  const id: unknown = typeof report === "object" && report !== null ? Object.entries(report).find(([key]) => key === "id")?.[1] : undefined;
  return typeof id === "string" ? id.slice(0, 128) : "";
}
