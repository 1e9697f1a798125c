import type { Instant } from "../core/clock.ts";
import type { WorkloadLedger } from "./ledger.ts";
import type { PriceTable } from "./price-table.ts";
import { priceReport, usageReportSchema, type UsageEvent } from "./usage-report.ts";
import type { UsageResult } from "./wire.ts";
import type { WorkloadObserver } from "./workload-observer.ts";

/** Whom recording needs. */
export interface RecordDeps {
  readonly ledger: Pick<WorkloadLedger, "record">;
  readonly prices: PriceTable;
  readonly observer: WorkloadObserver;
}

/** Parses, prices and counts reports: one result each, in order. One that does not fit stops none of the others. */
export async function recordUsage(reports: readonly unknown[], now: Instant, deps: RecordDeps): Promise<UsageResult[]> {
  const parsed = reports.map((report) => {
    const result = usageReportSchema.safeParse(report);
    return result.success ? { event: priceReport(result.data, deps.prices, now) } : { issues: result.error.issues, id: idOf(report) };
  });
  const events = parsed.flatMap((entry) => ("event" in entry ? [entry.event] : []));
  const replies = await deps.ledger.record(events);
  deps.observer.usage(events.filter((_, index) => replies[index] === "accepted"));
  let next = 0;
  return parsed.map((entry): UsageResult => {
    if (!("event" in entry)) {
      return {
        id: entry.id,
        result: "invalid",
        issues: entry.issues.map(({ path, message }) => `${path.join(".") || "(whole)"}: ${message}`),
      };
    }
    const reply = replies[next] ?? "unknown_budget";
    next += 1;
    return { id: entry.event.id, result: reply, ...pricing(entry.event) };
  });
}

function pricing({ costMicroUsd, unpriced, anomaly }: UsageEvent): Partial<UsageResult> {
  if (anomaly !== undefined) return { anomaly };
  return unpriced === undefined ? { costMicroUsd } : { unpriced };
}

function idOf(report: unknown): string {
  const id: unknown = typeof report === "object" && report !== null ? Object.entries(report).find(([key]) => key === "id")?.[1] : undefined;
  return typeof id === "string" ? id.slice(0, 128) : "";
}
