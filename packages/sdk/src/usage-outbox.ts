import type { Clock } from "./clock.ts";
import { type Http, Refused, Unreachable } from "./http.ts";
import { tolerant } from "./wire/tolerant.ts";
import { maxEventsPerReport, maxReportBytes, type UsageReport, type UsageResult, usageResponseSchema } from "./wire/usage.ts";

/** Usage that runbookd will never count. */
export interface UsageLoss {
  readonly reports: readonly UsageReport[];
  /** One sentence. */
  readonly why: string;
}

/** What runbookd says about a report that arrived and was not simply counted. */
export interface UsageNotice {
  readonly report: UsageReport;
  /**
   * `duplicate`: it was counted before. `completed`: it says more than an earlier report, and the difference was charged. `conflict`: it contradicts an earlier
   * report, and the higher cost stands. `estimated`: its cost is not known, and an estimate was charged.
   */
  readonly kind: "duplicate" | "completed" | "conflict" | "estimated";
  /** One sentence, or empty. */
  readonly why: string;
}

/** Usage on its way: kept until it has arrived. */
export interface UsageOutbox {
  add(report: UsageReport): void;
  /** Never rejects. One call sends at a time; a later call waits for it and then sends what remains. */
  flush(): Promise<void>;
  size(): number;
  /** Cancels the planned retry; only `flush` sends after that. */
  stop(): void;
}

const readResponse = tolerant(usageResponseSchema);

/** Bulk is worth a moment's wait. */
const lingerMs = 500;
/** Beyond this number the oldest are dropped, and told. */
const maxPendingReports = 20_000;
const maxBackoffMs = 30_000;

type Exchange =
  | { readonly kind: "answered"; readonly losses: readonly UsageLoss[]; readonly notices?: readonly UsageNotice[] }
  | { readonly kind: "later" }
  | { readonly kind: "too_much" };

interface Waiting {
  readonly report: UsageReport;
  readonly bytes: number;
}

/**
 * What runbookd answers to a body that it cannot read: one report in it may be nested too deeply, or be too long. The parts of the bulk are sent again
 * each on its own, down to the report at fault, which alone is given up.
 */
const unreadableBody: readonly number[] = [400, 413, 422];

/** Sends in bulk and again until it arrives; what is refused is given up, and costs none of the others. Ids make sending twice harmless. */
export function createUsageOutbox(deps: {
  readonly http: Http;
  readonly clock: Clock;
  readonly onLost: (loss: UsageLoss) => void;
  readonly onNotice?: (notice: UsageNotice) => void;
}): UsageOutbox {
  const { http, clock, onLost, onNotice = () => undefined } = deps;
  const waiting: Waiting[] = [];
  const stopped = new AbortController();
  let sending: Promise<void> | undefined;
  let timed = false;
  let failures = 0;

  /** By identity: the oldest may have been dropped while it was sent. */
  const forget = (events: readonly Waiting[]): void => {
    const gone = new Set(events);
    while (waiting[0] !== undefined && gone.has(waiting[0])) waiting.shift();
  };
  const lose = (reports: readonly UsageReport[], why: string): void => {
    try {
      onLost({ reports, why });
    } catch {
      // What the application does with it must not cost the reports that still wait.
    }
  };

  const notify = (notice: UsageNotice): void => {
    try {
      onNotice(notice);
    } catch {
      // As above.
    }
  };

  /** What becomes of the oldest events; `later`: nothing, and the others need not be tried now. */
  const exchange = async (events: readonly Waiting[]): Promise<Exchange> => {
    try {
      const { results } = readResponse.parse(await http.send("POST", "/api/usage", { events: events.map(({ report }) => report) }));
      return {
        kind: "answered",
        losses: events.flatMap(({ report }, index) => lossOf(report, results[index])),
        notices: events.flatMap(({ report }, index) => noticeOf(report, results[index])),
      };
    } catch (error) {
      if (error instanceof Unreachable) return { kind: "later" };
      if (error instanceof Refused && unreadableBody.includes(error.status) && events.length > 1) return { kind: "too_much" };
      const why = error instanceof Error ? error.message : String(error);
      return { kind: "answered", losses: [{ reports: events.map(({ report }) => report), why }] };
    }
  };

  const send = async (): Promise<void> => {
    let largest = maxEventsPerReport;
    while (waiting.length > 0) {
      const events = waiting.slice(0, Math.min(largest, bulkOf(waiting)));
      const result = await exchange(events);
      switch (result.kind) {
        case "later":
          failures += 1;
          return plan(Math.min(maxBackoffMs, lingerMs * 2 ** failures));
        case "too_much":
          largest = Math.ceil(events.length / 2);
          break;
        case "answered":
          forget(events);
          failures = 0;
          largest = Math.min(maxEventsPerReport, largest * 2);
          for (const { reports, why } of result.losses) lose(reports, why);
          for (const notice of result.notices ?? []) notify(notice);
      }
    }
  };

  const flush = async (): Promise<void> => {
    if (sending !== undefined) {
      await sending;
      // What was reported during the call is sent too, unless runbookd is not there: then the planned retry does it.
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
      try {
        // A report that is sent again much later must still be the same one.
        waiting.push(shortened(report.at === undefined ? { ...report, at: clock.now() } : report));
      } catch (error) {
        // A usage object that no JSON can hold, as one with a cycle.
        lose([report], error instanceof Error ? error.message : String(error));
        return;
      }
      if (waiting.length > maxPendingReports) {
        const dropped = waiting.splice(0, waiting.length - maxPendingReports).map((one) => one.report);
        lose(dropped, `more than ${maxPendingReports} events wait for runbookd`);
      }
      plan(lingerMs);
    },
    flush,
    size: () => waiting.length,
    stop: () => stopped.abort(new Error("stopped")),
  };
}

/** Answers after which nothing of the report is lost. */
const kept: readonly string[] = ["accepted", "completed", "duplicate"];

/** A conflict is a loss too: of two reports only one is charged. */
function lossOf(report: UsageReport, answer: UsageResult | undefined): readonly UsageLoss[] {
  const { result, conflict, detail, issues = [] } = answer ?? { result: "not answered" };
  if (kept.includes(result)) return [];
  const reasons = [conflict, detail].filter((text) => text !== undefined);
  return [{ reports: [report], why: [result, ...issues, ...reasons].join(": ") }];
}

function noticeOf(report: UsageReport, answer: UsageResult | undefined): readonly UsageNotice[] {
  if (answer === undefined) return [];
  const { result, detail, conflict, anomaly, unpriced, estimated } = answer;
  const why = [conflict, anomaly, unpriced, detail].filter((text) => text !== undefined).join(": ");
  const repeated =
    result === "duplicate" || result === "completed" || result === "conflict" ? [{ report, kind: result, why } as const] : [];
  return estimated === undefined || result === "duplicate" ? repeated : [...repeated, { report, kind: "estimated", why }];
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
