import { type MissCause, missCauses } from "../../../packages/sdk/src/wire/caches.ts";
import { prepareTrace, replayCache } from "./cache-replay.ts";
import type { CacheRules } from "./cache-rules.ts";
import { type SegmentedRequest, sentMarkers, traceOf } from "./cache-samples.ts";

/** Missed tokens by cause as parts of all prompt tokens, 0 to 1. What was never sent before is no miss. */
export type MissShares = Readonly<Record<MissCause, number>>;

/** Compares what was sent before with what the rules let be read of it. */
export function explainMisses(requests: readonly SegmentedRequest[], rules: CacheRules, countFrom = 0): MissShares {
  const trace = prepareTrace(traceOf(requests));
  const markers = requests.map(sentMarkers);
  const usedAt = new Float64Array(trace.prefixes).fill(Number.NEGATIVE_INFINITY);
  const readyAt = new Float64Array(trace.prefixes).fill(Number.POSITIVE_INFINITY);
  const writtenAt = new Float64Array(trace.prefixes).fill(Number.NEGATIVE_INFINITY);
  const shares: Record<MissCause, number> = { ttl_gap: 0, fan_out: 0, below_minimum: 0, lookback: 0, marker_misplaced: 0 };
  const shortest = rules.lifetimeMs[rules.lifetimes[0] ?? "5m"];
  let total = 0;

  const recordRequest = (index: number): void => {
    const request = trace.requests[index];
    if (request === undefined) return;
    for (const number of request.prefix) {
      usedAt[number] = request.at;
      readyAt[number] = Math.min(readyAt[number] ?? request.readyAt, request.readyAt);
    }
    for (const { block } of markers[index] ?? []) writtenAt[request.prefix[block] ?? 0] = request.at;
  };

  let recordedCount = 0;
  replayCache(
    trace,
    { markersOf: (index) => markers[index] ?? [], rules },
    {
      onRequest(index, tokens) {
        for (; recordedCount < index; recordedCount += 1) recordRequest(recordedCount);
        const request = trace.requests[index];
        if (request === undefined || index < countFrom) return;
        total += tokens.total;
        const lastSentBlock = request.prefix.findLastIndex((number) => (usedAt[number] ?? 0) > Number.NEGATIVE_INFINITY);
        const number = request.prefix[lastSentBlock] ?? 0;
        const missed = lastSentBlock < 0 ? 0 : (request.upTo[lastSentBlock] ?? 0) - tokens.read;
        const lastMarker = markers[index]?.at(-1)?.block ?? -1;
        const isShort = (request.upTo[lastSentBlock] ?? 0) < rules.minTokens;
        // A short common beginning is nobody's fault, unless a marker was meant for it.
        if (missed <= 0 || (isShort && (request.upTo[lastMarker] ?? 0) >= rules.minTokens)) return;
        const cause = (): MissCause => {
          if (isShort) return "below_minimum";
          if ((readyAt[number] ?? 0) > request.at) return "fan_out";
          if (request.at - (usedAt[number] ?? 0) > shortest) return "ttl_gap";
          const written = request.prefix.some(
            (prefix, block) => block <= lastSentBlock && (writtenAt[prefix] ?? 0) > Number.NEGATIVE_INFINITY,
          );
          const behind = (markers[index] ?? []).some(({ block }) => block >= lastSentBlock);
          return written && behind ? "lookback" : "marker_misplaced";
        };
        shares[cause()] += missed;
      },
    },
  );
  for (const cause of missCauses) shares[cause] = total === 0 ? 0 : shares[cause] / total;
  return shares;
}
