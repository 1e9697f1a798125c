import type { Prefix } from "../../../packages/sdk/src/wire/prefix.ts";
import { type UsageEvent, type UsageResult, usageReportSchema } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import type { EventSink } from "../../core/event.ts";
import { type PrefixSampleStore, readPrefix, sampleOf } from "./prefix-samples.ts";
import type { PriceTable } from "./price-table.ts";
import type { RefusedUsage, UsageCounted, UsageLedger, UsageOutcome, UsageRefused } from "./usage-ledger.ts";
import { createReportPricer, defaultMaxAgeMs, type ReportPricer } from "./usage-report.ts";

/** Whom recording needs. */
export interface RecordDeps {
  readonly ledger: UsageLedger;
  readonly prices: PriceTable;
  readonly publish: EventSink<UsageCounted | UsageRefused>;
  /** How old a report may be, in milliseconds; two days by default. Ids are remembered for as long. */
  readonly maxAgeMs?: number;
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
  const maxAgeMs = deps.maxAgeMs ?? defaultMaxAgeMs;
  const price = createReportPricer(deps.prices, now);
  const parsed = reports.map((report) => readReport(report, { price, oldest: now - maxAgeMs }));
  const valid = parsed.filter((entry) => entry.kind === "valid");
  const outcomes = await deps.ledger.record(valid.map(({ event }) => event));
  const counted = outcomes.filter((outcome) => outcome.kind !== "unknown_budget");
  deps.publish({ kind: "usage_counted", usage: counted });
  if (deps.prefixes !== undefined)
    await storePrefixes(
      valid.filter((_, index) => outcomes[index]?.kind === "accepted"),
      deps.prefixes,
    );
  let next = 0;
  const answers = parsed.map((entry): UsageResult => {
    if (entry.kind !== "valid") return { id: entry.id, result: entry.kind, issues: [...entry.issues] };
    const outcome = outcomes[next] ?? { kind: "unknown_budget" };
    next += 1;
    return resultOf(outcome, entry);
  });
  const refused = answers.flatMap(({ id, result, issues = [] }, index): RefusedUsage[] =>
    result === "invalid" || result === "unknown_budget" || result === "too_old" ? [{ index, id, reason: result, issues }] : [],
  );
  if (refused.length > 0) deps.publish({ kind: "usage_refused", reports: refused });
  return answers;
}

/** More say no more. */
const maxIssues = 20;

interface ValidReport {
  readonly kind: "valid";
  readonly event: UsageEvent;
  readonly prefix: Prefix | undefined;
  readonly prefixIssues: readonly string[];
}

type ReadReport = ValidReport | { readonly kind: "invalid" | "too_old"; readonly id: string; readonly issues: readonly string[] };

function readReport(report: unknown, { price, oldest }: { readonly price: ReportPricer; readonly oldest: Instant }): ReadReport {
  const result = usageReportSchema.safeParse(report);
  if (!result.success) {
    const issues = result.error.issues.slice(0, maxIssues).map(({ path, message }) => `${path.join(".") || "(whole)"}: ${message}`);
    return { kind: "invalid", issues, id: idOf(report) };
  }
  const { id, at } = result.data;
  if (at !== undefined && at < oldest) {
    const since = new Date(oldest).toISOString();
    return { kind: "too_old", id, issues: [`at: the request ended before ${since}; RUNBOOKD_USAGE_DAYS says how old a report may be`] };
  }
  try {
    const { prefix, issues: prefixIssues } = readPrefix(result.data.prefix);
    return { kind: "valid", event: price(result.data, prefix), prefix, prefixIssues };
  } catch (error) {
    // A defect of ours, which the others of the request must not pay for: it would be met again with every repetition.
    return {
      kind: "invalid",
      issues: [`(whole): it cannot be read: ${error instanceof Error ? error.message : String(error)}`],
      id,
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

function resultOf(outcome: UsageOutcome, { event: reported, prefixIssues }: ValidReport): UsageResult {
  const { id, anomaly, unpriced } = reported;
  const unread = prefixIssues.length === 0 ? {} : { prefixIssues: [...prefixIssues] };
  const why = { ...(anomaly === undefined ? {} : { anomaly }), ...(unpriced === undefined ? {} : { unpriced }) };
  if (outcome.kind === "unknown_budget") {
    const cost = anomaly === undefined && unpriced === undefined ? { costMicroUsd: reported.costMicroUsd } : {};
    return { id, result: outcome.kind, ...cost, ...why, ...detailOf(reported.detail), ...unread };
  }
  const { kind, event, conflict, detail } = outcome;
  const { costMicroUsd, estimated } = event;
  return {
    id,
    result: kind,
    costMicroUsd,
    ...(estimated === undefined ? {} : { estimated }),
    ...(conflict === undefined ? {} : { conflict }),
    ...why,
    ...detailOf([detail, reported.detail].filter((text) => text !== undefined).join("; ")),
    ...unread,
  };
}

function detailOf(detail: string | undefined): { readonly detail?: string } {
  return detail === undefined || detail === "" ? {} : { detail };
}

function idOf(report: unknown): string {
  const id: unknown = typeof report === "object" && report !== null ? Object.entries(report).find(([key]) => key === "id")?.[1] : undefined;
  return typeof id === "string" ? id.slice(0, 128) : "";
}
