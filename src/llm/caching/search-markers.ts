import type { UnitBehaviour, UnitMarker } from "../../../packages/sdk/src/wire/caches.ts";
import { type CacheLifetime, runtimeContextLayer } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import { type CachePrices, replayCost } from "./cache-cost.ts";
import { hitRatio, type Marker, type PreparedTrace, prepareTrace, type ReplayTokens, replayCache } from "./cache-replay.ts";
import type { CacheRules } from "./cache-rules.ts";
import { conversation, type SegmentedRequest, traceOf } from "./cache-samples.ts";
import { stabilityRank } from "./cache-units.ts";

/** The cheapest markers of a layout, and what the replay says of them. */
export interface MarkerChoice {
  /** In the order of the prompt; longer lifetimes before shorter ones. */
  readonly markers: readonly UnitMarker[];
  readonly hit: number;
  /** Of the replayed requests together, not rounded. */
  readonly costMicroUsd: number;
  readonly tokens: ReplayTokens;
  /** How many sets of markers were replayed. */
  readonly tried: number;
}

/** What is searched. */
export interface MarkerSearch {
  readonly requests: readonly SegmentedRequest[];
  readonly units: ReadonlyMap<string, UnitBehaviour>;
  readonly rules: CacheRules;
  readonly prices: CachePrices;
  readonly reliability?: number;
  readonly countFrom?: number;
  /** Most units behind which a marker may stand, at most 8. */
  readonly candidates?: number;
}

const maxCandidates = 8;
/** A further marker must save at least this part of the cost: replays are not more exact. */
const tieRatio = 1e-3;

/**
 * Replays every set of markers behind at most eight units, with every order of lifetimes that a provider accepts, and answers the cheapest; on a tie the
 * one with fewer markers. No marker at all is one of the sets. Yields after each replay, so that a caller may let others work.
 */
export function* searchMarkers(search: MarkerSearch): Generator<void, MarkerChoice> {
  const { requests, rules, prices, reliability = 1, countFrom = 0 } = search;
  const trace = prepareTrace(traceOf(requests));
  const candidates = candidateUnits(search);
  const ends = candidates.map((unit) => Int32Array.from(requests, ({ blocks }) => endOf(unit, blocks, search.units)));
  const lifetimes = rules.lifetimes.filter((ttl) => prices.write[ttl] !== undefined);

  let best: MarkerChoice | undefined;
  let tried = 0;
  for (const chosen of subsets(candidates.length, rules.maxMarkers)) {
    for (const ttls of lifetimeOrders(chosen.length, lifetimes)) {
      const markersOf = (request: number): Marker[] =>
        chosen.flatMap((candidate, place) => {
          const block = ends[candidate]?.[request] ?? -1;
          return block < 0 ? [] : [{ block, ttl: ttls[place] ?? "5m" }];
        });
      const tokens = replayCache(trace, { markersOf, rules }, { reliability, countFrom });
      tried += 1;
      const cost = replayCost(tokens, prices);
      if (best === undefined || cost < best.costMicroUsd * (1 - tieRatio)) {
        const markers = chosen.map((candidate, place) => ({ after: candidates[candidate] ?? "", ttl: ttls[place] ?? "5m" }));
        best = { markers, hit: hitRatio(tokens), costMicroUsd: cost, tokens, tried };
      }
      yield;
    }
  }
  return best === undefined ? unmarked(trace, search) : { ...best, tried };
}

/** Replays given markers, for a prediction over all samples. */
export function replayMarkers(markers: readonly UnitMarker[], search: MarkerSearch): Omit<MarkerChoice, "tried"> {
  const { requests, rules, prices, reliability = 1, countFrom = 0 } = search;
  const markersOf = (index: number): Marker[] =>
    markers.flatMap(({ after, ttl }) => {
      const block = endOf(after, requests[index]?.blocks ?? [], search.units);
      return block < 0 ? [] : [{ block, ttl }];
    });
  const tokens = replayCache(prepareTrace(traceOf(requests)), { markersOf, rules }, { reliability, countFrom });
  return { markers, hit: hitRatio(tokens), costMicroUsd: replayCost(tokens, prices), tokens };
}

/**
 * The hit ratio that no choice of markers can pass: one behind every unit and every turn, with the cheaper of all lifetimes. This is what a prompt can achieve
 * with its blocks in the order given.
 */
export function achievableHit(search: MarkerSearch): number {
  const { requests, rules, prices, reliability = 1, countFrom = 0 } = search;
  const trace = prepareTrace(traceOf(requests));
  const unlimited = { ...rules, maxMarkers: Number.POSITIVE_INFINITY };
  let best = { hit: 0, cost: Number.POSITIVE_INFINITY };
  for (const ttl of rules.lifetimes) {
    if (prices.write[ttl] === undefined) continue;
    const all = requests.map(({ blocks }) =>
      blocks.flatMap(({ unit }, block): Marker[] => (unit === runtimeContextLayer ? [] : [{ block, ttl }])),
    );
    const tokens = replayCache(trace, { markersOf: (index) => all[index] ?? [], rules: unlimited }, { reliability, countFrom });
    const cost = replayCost(tokens, prices);
    if (cost < best.cost) best = { hit: hitRatio(tokens), cost };
  }
  return best.hit;
}

/** The last block of a unit, -1 without one. Before the first turn the conversation ends where it would begin. */
function endOf(unit: string, blocks: SegmentedRequest["blocks"], units: MarkerSearch["units"]): number {
  const end = blocks.findLastIndex((block) => block.unit === unit);
  if (end >= 0 || unit !== conversation) return end;
  return blocks.findLastIndex((block) => block.unit !== runtimeContextLayer && units.get(block.unit)?.stability !== "request");
}

/** Units worth a marker: those before a less stable one first, then the longest. In the order of the prompt. */
function candidateUnits({ requests, units, candidates = maxCandidates }: MarkerSearch): readonly string[] {
  const order = unitOrder(requests);
  const rankOf = (unit: string | undefined) => {
    const match = unit === undefined ? undefined : units.get(unit);
    return match === undefined ? Number.POSITIVE_INFINITY : stabilityRank(match.stability);
  };
  return order
    .map((unit, place) => ({ unit, place, ends: rankOf(order[place + 1]) > rankOf(unit), tokens: units.get(unit)?.tokens ?? 0 }))
    .filter(({ unit }) => unit !== runtimeContextLayer && rankOf(unit) <= stabilityRank("turn"))
    .sort(
      (a, b) => Number(b.unit === conversation) - Number(a.unit === conversation) || Number(b.ends) - Number(a.ends) || b.tokens - a.tokens,
    )
    .slice(0, Math.min(candidates, maxCandidates))
    .sort((a, b) => a.place - b.place)
    .map(({ unit }) => unit);
}

/** Every unit in the order of the prompt, as the longest requests have it. */
export function unitOrder(requests: readonly SegmentedRequest[]): readonly string[] {
  const order: string[] = [];
  for (const { blocks } of requests.toSorted((a, b) => b.blocks.length - a.blocks.length).slice(0, 50)) {
    let place = 0;
    for (const { unit } of blocks) {
      const position = order.indexOf(unit);
      if (position >= 0) place = position + 1;
      else order.splice(place++, 0, unit);
    }
  }
  return order;
}

/** Sets of at most `most` of the numbers below `count`, the smaller sets first, each in rising order. */
function* subsets(count: number, maxSize: number): Generator<readonly number[]> {
  function* ofSize(size: number, from: number): Generator<readonly number[]> {
    if (size === 0) {
      yield [];
      return;
    }
    for (let first = from; first < count; first += 1) for (const remaining of ofSize(size - 1, first + 1)) yield [first, ...remaining];
  }
  for (let size = 0; size <= Math.min(count, maxSize); size += 1) yield* ofSize(size, 0);
}

/** Lifetimes for `count` markers, the longer ones first. */
function* lifetimeOrders(count: number, lifetimes: readonly CacheLifetime[]): Generator<readonly CacheLifetime[]> {
  const [short, long] = lifetimes;
  if (short === undefined) return;
  for (let longs = 0; longs <= (long === undefined ? 0 : count); longs += 1)
    yield [...Array.from({ length: longs }, () => long ?? short), ...Array.from({ length: count - longs }, () => short)];
}

function unmarked(trace: PreparedTrace, { rules, prices }: MarkerSearch): MarkerChoice {
  const tokens = replayCache(trace, { markersOf: () => [], rules });
  return { markers: [], hit: hitRatio(tokens), costMicroUsd: replayCost(tokens, prices), tokens, tried: 0 };
}
