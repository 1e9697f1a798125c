import type { Clock } from "../core/clock.ts";
import type { UsageReport } from "../workload/usage-report.ts";
import { mostBlocksPerReport, mostEventsPerReport, usageReplySchema } from "../workload/wire.ts";
import { Unreachable, type Http } from "./http.ts";

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

/** Bulk is worth a moment's wait. */
const lingerMs = 500;
/** Beyond this number the oldest are dropped, and told. */
const mostKept = 20_000;
const longestBackoffMs = 30_000;

/** Sends in bulk and again until it arrives. Ids make sending twice harmless. */
export function createUsageOutbox(deps: {
  readonly http: Http;
  readonly clock: Clock;
  readonly onLost: (loss: UsageLoss) => void;
}): UsageOutbox {
  const { http, clock, onLost } = deps;
  const waiting: UsageReport[] = [];
  const stopped = new AbortController();
  let sending: Promise<void> | undefined;
  let timed = false;
  let failures = 0;

  /** By identity: the oldest may have been dropped meanwhile. */
  const forget = (events: readonly UsageReport[]): void => {
    const gone = new Set(events);
    while (waiting[0] !== undefined && gone.has(waiting[0])) waiting.shift();
  };

  const send = async (): Promise<void> => {
    while (waiting.length > 0) {
      const events = waiting.slice(0, bulkOf(waiting));
      try {
        const { results } = usageReplySchema.parse(await http.send("POST", "/api/usage", { events }));
        forget(events);
        failures = 0;
        for (const [index, { result, issues = [] }] of results.entries()) {
          const report = events[index];
          if (report === undefined || result === "accepted" || result === "duplicate") continue;
          onLost({ reports: [report], why: [result, ...issues].join(": ") });
        }
      } catch (error) {
        if (error instanceof Unreachable) {
          failures += 1;
          plan(Math.min(longestBackoffMs, lingerMs * 2 ** failures));
          return;
        }
        forget(events);
        onLost({ reports: events, why: error instanceof Error ? error.message : String(error) });
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
      waiting.push(report);
      if (waiting.length > mostKept) {
        onLost({ reports: waiting.splice(0, waiting.length - mostKept), why: `more than ${mostKept} events wait for runbookd` });
      }
      plan(lingerMs);
    },
    flush,
    size: () => waiting.length,
    stop: () => stopped.abort(new Error("stopped")),
  };
}

/** How many of the oldest events go into one request: at least one, and no more prefixes than its body may hold. */
function bulkOf(waiting: readonly UsageReport[]): number {
  let blocks = 0;
  for (const [index, { prefix }] of waiting.entries()) {
    blocks += prefix?.blocks.length ?? 0;
    if (index > 0 && (index >= mostEventsPerReport || blocks > mostBlocksPerReport)) return index;
  }
  return waiting.length;
}
