import type { Clock } from "./clock.ts";
import { type Http, Unreachable } from "./http.ts";
import { tolerant } from "./wire/tolerant.ts";
import { maxEventsPerReport, maxReportBytes, type UsageReport, usageResponseSchema } from "./wire/usage.ts";

/** Usage that runbookd will never count. */
export interface UsageLoss {
  readonly reports: readonly UsageReport[];
  /** One sentence. */
  readonly why: string;
}

/** Usage on its way: kept until it has arrived. */
export interface UsageOutbox {
  add(report: UsageReport): void;
  /** Never rejects. One sending at a time; whoever comes later waits for it and sends the rest. */
  flush(): Promise<void>;
  size(): number;
  /** Sends nothing by itself any more. */
  stop(): void;
}

const readResponse = tolerant(usageResponseSchema);

/** Bulk is worth a moment's wait. */
const lingerMs = 500;
/** Beyond this number the oldest are dropped, and told. */
const maxPendingReports = 20_000;
const maxBackoffMs = 30_000;

interface Waiting {
  readonly report: UsageReport;
  readonly bytes: number;
}

/** Sends in bulk and again until it arrives. Ids make sending twice harmless. */
export function createUsageOutbox(deps: {
  readonly http: Http;
  readonly clock: Clock;
  readonly onLost: (loss: UsageLoss) => void;
}): UsageOutbox {
  const { http, clock, onLost } = deps;
  const waiting: Waiting[] = [];
  const stopped = new AbortController();
  let sending: Promise<void> | undefined;
  let timed = false;
  let failures = 0;

  /** By identity: the oldest may have been dropped meanwhile. */
  const forget = (events: readonly Waiting[]): void => {
    const gone = new Set(events);
    while (waiting[0] !== undefined && gone.has(waiting[0])) waiting.shift();
  };

  const send = async (): Promise<void> => {
    while (waiting.length > 0) {
      const events = waiting.slice(0, bulkOf(waiting));
      try {
        const { results } = readResponse.parse(await http.send("POST", "/api/usage", { events: events.map(({ report }) => report) }));
        forget(events);
        failures = 0;
        for (const [index, { result, issues = [] }] of results.entries()) {
          const report = events[index]?.report;
          if (report === undefined || result === "accepted" || result === "duplicate") continue;
          onLost({ reports: [report], why: [result, ...issues].join(": ") });
        }
      } catch (error) {
        if (error instanceof Unreachable) {
          failures += 1;
          plan(Math.min(maxBackoffMs, lingerMs * 2 ** failures));
          return;
        }
        forget(events);
        onLost({ reports: events.map(({ report }) => report), why: error instanceof Error ? error.message : String(error) });
      }
    }
  };

  const flush = async (): Promise<void> => {
    if (sending !== undefined) {
      await sending;
      // What came meanwhile is sent too, unless runbookd is not there: then the planned retry does it.
      if (waiting.length === 0 || failures > 0) return;
    }
    sending ??= send().finally(() => {
      sending = undefined;
    });
    await sending;
  };

  const plan = (afterMs: number): void => {
    if (timed || stopped.signal.aborted) return;
    timed = true;
    clock.sleep(afterMs, stopped.signal).then(
      async () => {
        timed = false;
        await flush();
      },
      () => undefined,
    );
  };

  return {
    add(report) {
      // Without an id of the provider two sendings could not be told apart, so the caller gives it and it is never made up here.
      waiting.push(shortened(report));
      if (waiting.length > maxPendingReports) {
        const dropped = waiting.splice(0, waiting.length - maxPendingReports).map((one) => one.report);
        onLost({ reports: dropped, why: `more than ${maxPendingReports} events wait for runbookd` });
      }
      plan(lingerMs);
    },
    flush,
    size: () => waiting.length,
    stop: () => stopped.abort(new Error("stopped")),
  };
}

/** A report alone may be so long; a longer one goes without the texts of its prefix, or without the prefix: money comes first. */
const maxBytesOfOne = 512 * 1024;

function bytesOf(report: UsageReport): number {
  return Buffer.byteLength(JSON.stringify(report));
}

function shortened(report: UsageReport): Waiting {
  const bytes = bytesOf(report);
  if (bytes <= maxBytesOfOne || report.prefix === undefined) return { report, bytes };
  const { prefix, ...withoutPrefix } = report;
  const { texts: _texts, ...hashes } = prefix;
  const without = { ...withoutPrefix, prefix: hashes };
  return bytesOf(without) <= maxBytesOfOne
    ? { report: without, bytes: bytesOf(without) }
    : { report: withoutPrefix, bytes: bytesOf(withoutPrefix) };
}

/** How many of the oldest events go into one request: at least one, and no more than its body may hold. */
function bulkOf(waiting: readonly Waiting[]): number {
  let sum = 0;
  for (const [index, { bytes }] of waiting.entries()) {
    sum += bytes + 1;
    if (index > 0 && (index >= maxEventsPerReport || sum > maxReportBytes.events)) return index;
  }
  return waiting.length;
}
