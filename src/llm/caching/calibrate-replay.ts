import type { Calibration } from "../../../packages/sdk/src/wire/caches.ts";
import { formatShare } from "../../core/share.ts";
import { hitRatio, prepareTrace, type ReplayOptions, replayCache } from "./cache-replay.ts";
import type { CacheRules } from "./cache-rules.ts";
import { measuredTotal, type SegmentedRequest, sentMarkers, traceOf, warmUp } from "./cache-samples.ts";

/** Within it the rules alone describe the cache. */
const goodPoints = 5;
/** Beyond it they do not, whatever the reliability. */
const maxPoints = 10;
const minReliability = 0.5;

/** Replays what was really sent and compares it with what was really read. */
export function calibrateReplay(requests: readonly SegmentedRequest[], rules: CacheRules): Calibration {
  const trace = prepareTrace(traceOf(requests));
  const markers = requests.map(sentMarkers);
  const countFrom = warmUp(requests, rules.lifetimeMs[rules.lifetimes[0] ?? "5m"]);
  const counted = requests.slice(countFrom);
  const total = counted.reduce((sum, { measured }) => sum + measuredTotal(measured), 0);
  const measuredHit = total === 0 ? 0 : counted.reduce((sum, { measured }) => sum + measured.read, 0) / total;

  const predict = (options: ReplayOptions) =>
    hitRatio(replayCache(trace, { markersOf: (index) => markers[index] ?? [], rules }, { countFrom, ...options }));
  let allowed = 0;
  let happened = 0;
  const plain = predict({
    onRequest(index, { read }) {
      if (read === 0) return;
      allowed += 1;
      // Tokens are estimates, so half of what could be read counts as the read.
      if ((requests[index]?.measured.read ?? 0) >= read / 2) happened += 1;
    },
  });
  const off = (predicted: number) => 100 * Math.abs(predicted - measuredHit);
  if (off(plain) <= goodPoints) {
    return {
      verdict: "calibrated",
      sentence: `The replay tells the measured hit ratio within ${points(off(plain))}.`,
      measuredHit,
      predictedHit: plain,
      reliability: 1,
      errorPoints: off(plain),
    };
  }
  const reliability = plain > measuredHit && allowed > 0 ? happened / allowed : 1;
  const predictedHit = reliability === 1 ? plain : predict({ reliability: Math.max(reliability, Number.EPSILON) });
  const facts = { measuredHit, predictedHit, reliability, errorPoints: off(predictedHit) };
  if (reliability < minReliability)
    return {
      ...facts,
      verdict: "refused",
      sentence: `Only ${formatShare(reliability, { decimals: 0 })} of the reads that the rules allow do happen.`,
    };
  if (off(predictedHit) > maxPoints) {
    const unmarked = rules.automatic === "nothing" && markers.every((requestMarkers) => requestMarkers.length === 0);
    const why = unmarked && measuredHit > 0 ? " The samples name no cache markers, and something was cached: report the markers." : "";
    return { ...facts, verdict: "refused", sentence: `The replay is ${points(off(predictedHit))} off what was measured.${why}` };
  }
  return {
    ...facts,
    verdict: reliability < 1 && off(predictedHit) <= goodPoints ? "calibrated" : "cautious",
    sentence: `The replay tells the measured hit ratio within ${points(off(predictedHit))}, with ${formatShare(reliability, { decimals: 0 })} of the allowed reads happening.`,
  };
}

function points(value: number): string {
  return `${Math.round(value * 10) / 10} percentage points`;
}
