import type { Clock, Instant } from "../../core/clock.ts";
import { dayMs, minuteMs } from "../../core/duration.ts";
import type { Log } from "../../core/log.ts";
import { shortLine } from "../../core/one-line.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import type { SecurityFindingStore, SourceStatus } from "./security-finding-store.ts";
import type { FindingListing, ReportFinding, SecuritySource } from "./security-source.ts";

/** How often sources are listed, and how often everything open is listed again; divided by a demo's factor. */
export const findingListTimes = { intervalMs: 5 * minuteMs, wholeMs: dayMs } as const;

/** The clocks of a source and of this machine may differ by so much, and a source may show a change so much later. */
const overlapMs = 10 * minuteMs;
/** What was closed earlier than this before the first listing is history, and is not imported. */
const historyMs = 30 * dayMs;
/** Open findings that are compared with a whole listing. */
const maxCompared = 5000;
const maxNamed = 20;

/** What keeping findings needs. */
export interface FindingReconcilerDeps {
  readonly sources: readonly SecuritySource[];
  readonly store: Pick<SecurityFindingStore, "sources" | "recordSource" | "list">;
  readonly report: ReportFinding;
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "warn">;
  /** A whole listing that is older is repeated. */
  readonly wholeMs: number;
}

/** Reports what the sources list, so that a change whose webhook was lost is found. */
export interface FindingReconciler {
  /**
   * Lists every source once. Rejects only when the store does not answer, or with the signal's reason; a source that cannot be read is recorded as down, with
   * its reason, and costs the others nothing.
   */
  reconcile(signal: AbortSignal): Promise<void>;
}

/**
 * A listing begins where the last complete one began. Everything open is listed first, every `wholeMs`, and after a listing that failed. An open finding that such a
 * listing does not name stays open, because only its source closes it, and is logged.
 */
export function createFindingReconciler(deps: FindingReconcilerDeps): FindingReconciler {
  const wholeAt = new Map<string, Instant>();
  return {
    async reconcile(signal) {
      const statuses = new Map((await deps.store.sources()).map((status) => [status.source, status]));
      for (const source of deps.sources) {
        signal.throwIfAborted();
        const at = deps.clock.now();
        const last = wholeAt.get(source.name);
        const whole = last === undefined || at - last >= deps.wholeMs;
        const since = (statuses.get(source.name)?.seenAt ?? at - historyMs) - overlapMs;
        // Until this listing has come to its end: a source may take for reported what was not kept.
        wholeAt.delete(source.name);
        const failure = await listSource(deps, source, { since, whole, signal });
        if (failure === undefined) wholeAt.set(source.name, whole ? at : last);
        await deps.store.recordSource(statusAfter({ before: statuses.get(source.name), source: source.name, at, failure }));
      }
    },
  };
}

/** Why the source could not be read to its end; undefined when it was. */
async function listSource(deps: FindingReconcilerDeps, source: SecuritySource, listing: FindingListing): Promise<string | undefined> {
  const listed = new Set<string>();
  let failure: string | undefined;
  try {
    for await (const finding of source.list(listing)) {
      const result = await deps.report(finding);
      if (result.kind === "refused")
        failure ??= `The finding ${shortLine(finding.ref, 100)} was not kept: ${shortLine(result.reason, 200)}`;
      listed.add(finding.ref);
    }
  } catch (error) {
    listing.signal.throwIfAborted();
    if (error instanceof StoreUnavailable) throw error;
    failure = shortLine(error instanceof Error ? error.message : "It failed in an unknown way.", 500);
  }
  if (failure === undefined) {
    if (listing.whole) await logMissing(deps, source.name, listed);
    return undefined;
  }
  const fields = { source: source.name, reason: failure };
  deps.log.warn(fields, "A source of security findings was not read to its end; it is not taken for one without findings.");
  return failure;
}

/** Its beginning counts as its time, because what changes during a listing may be missing from it. */
function statusAfter({
  before,
  source,
  at,
  failure,
}: {
  readonly before: SourceStatus | undefined;
  readonly source: string;
  readonly at: Instant;
  readonly failure: string | undefined;
}): SourceStatus {
  if (failure === undefined) return { source, up: true, seenAt: at };
  return { source, up: false, reason: failure, ...(before?.seenAt !== undefined && { seenAt: before.seenAt }) };
}

async function logMissing({ store, log }: FindingReconcilerDeps, source: string, listed: ReadonlySet<string>): Promise<void> {
  const open = await store.list({ source, state: "open" }, maxCompared);
  const missing = open.filter(({ ref }) => !listed.has(ref));
  if (missing.length === 0) return;
  log.warn(
    { source, count: missing.length, findings: missing.slice(0, maxNamed).map(({ id }) => id) },
    "Open security findings are missing from a whole listing of their source; they stay open until the source says what became of them.",
  );
}
