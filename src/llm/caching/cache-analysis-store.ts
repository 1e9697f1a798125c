import type { CacheAnalysis, CacheCause, CacheState } from "../../../packages/sdk/src/wire/caches.ts";
import type { Finding } from "../../../packages/sdk/src/wire/findings.ts";
import { jsonSchema } from "../../../packages/sdk/src/wire/json.ts";
import type { Instant } from "../../core/clock.ts";
import type { FindingSource } from "../../core/finding.ts";
import { sha256 } from "../../core/json.ts";
import { oneUsd } from "../../core/money.ts";
import { formatShare } from "../../core/share.ts";

/** The newest analyses, the same for every process. Members reject with StoreUnavailable when they cannot be asked. */
export interface CacheAnalysisStore {
  put(state: CacheState): Promise<void>;
  /** In no order. */
  list(): Promise<readonly CacheState[]>;
  /** Forgets what was analysed before `at`. */
  prune(at: Instant): Promise<void>;
}

/** An analysed state, the costliest loss first. */
export interface RankedCache {
  readonly state: CacheState;
  readonly lostMicroUsdPerDay: number;
}

/** Smallest loss per day, in micro-USD, worth acting on. */
const worthActing = 5 * oneUsd;
const muchLost = 50 * oneUsd;

/** Prompts by what their layout loses a day, without those that lose less than `leastPerDay` micro-USD, five dollars by default. */
export function rankCaches(states: readonly CacheState[], minLossPerDay = worthActing): readonly RankedCache[] {
  return states
    .flatMap((state) => (state.reply.kind === "analysed" ? [{ state, lostMicroUsdPerDay: state.reply.analysis.lostPerDay }] : []))
    .filter(({ lostMicroUsdPerDay }) => lostMicroUsdPerDay >= minLossPerDay)
    .sort((a, b) => b.lostMicroUsdPerDay - a.lostMicroUsdPerDay || (a.state.prompt < b.state.prompt ? -1 : 1));
}

/** A finding for a prompt that could be cached better; undefined when there is nothing to gain or the replay does not describe it. */
export function findingOf(state: CacheState): Finding | undefined {
  const { prompt, provider, model, version, versions, misses, at, reply } = state;
  if (reply.kind !== "analysed") return undefined;
  const { analysis } = reply;
  if (analysis.calibration.verdict === "refused" || analysis.blocked === "nothing_to_gain" || analysis.lostPerDay <= 0) return undefined;
  const main = mainCause(analysis);
  const lost = `${prompt} on ${provider}/${model} reads ${formatShare(analysis.measuredHit, { decimals: 0 })} of its input from the cache and could read ${formatShare(analysis.predictedHit, { decimals: 0 })}`;
  return {
    id: `cache-${sha256(JSON.stringify([prompt, provider, model, main?.unit ?? "", main?.class ?? ""])).slice(0, 16)}`,
    kind: "cache",
    severity: analysis.lostPerDay >= muchLost ? "high" : analysis.lostPerDay >= worthActing ? "medium" : "low",
    title: main === undefined ? `${lost}.` : `${lost}: ${main.sentence}`,
    at,
    evidence: jsonSchema.parse(JSON.parse(JSON.stringify({ prompt, provider, model, version, versions, misses, ...analysis }))),
  };
}

/** The cause whose mending saves most on top of those before it. */
function mainCause({ causes }: CacheAnalysis): CacheCause | undefined {
  let before = 0;
  let maxGain = Number.NEGATIVE_INFINITY;
  let main: CacheCause | undefined;
  for (const cause of causes) {
    const gain = cause.savedAfterMicroUsdPerDay - before;
    before = cause.savedAfterMicroUsdPerDay;
    if (gain <= maxGain) continue;
    maxGain = gain;
    main = cause;
  }
  return main;
}

/** Findings of every prompt on a board, the costliest first. */
export function createCacheFindings(cacheAnalysisStore: Pick<CacheAnalysisStore, "list">): FindingSource {
  return { findings: async () => rankCaches(await cacheAnalysisStore.list(), 0).flatMap(({ state }) => findingOf(state) ?? []) };
}
