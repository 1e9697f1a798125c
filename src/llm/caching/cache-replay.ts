import type { CacheLifetime } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import type { Instant } from "../../core/clock.ts";
import { createRandom } from "../../core/random.ts";
import type { CacheRules } from "./cache-rules.ts";

/** One request of a trace. */
export interface TraceRequest {
  readonly at: Instant;
  /** From sending to the first token; what it writes can be read from then on. */
  readonly ttftMs: number;
  /** In the order in which the cache sees them. */
  readonly blocks: readonly { readonly hash: string; readonly tokens: number }[];
  /** Index of the first block of the messages, and what breaks their cache besides their text. */
  readonly messagesFrom?: number;
  readonly parameters?: string;
}

/** A trace whose prefixes have numbers, so that it can be replayed many times. Requests are in the order of their sending. */
export interface PreparedTrace {
  readonly requests: readonly PreparedRequest[];
  /** How many different prefixes there are; their numbers are below it. */
  readonly prefixes: number;
}

/** One request of a prepared trace. */
export interface PreparedRequest {
  readonly at: Instant;
  readonly readyAt: Instant;
  /** By block: the number of the prefix that ends with it. Equal numbers are equal prefixes. */
  readonly prefix: Int32Array;
  /** By block: tokens up to and including it. */
  readonly upTo: Float64Array;
  readonly totalTokens: number;
}

/** A cache marker of one request. */
export interface Marker {
  /** Index of the block that it stands behind. */
  readonly block: number;
  readonly ttl: CacheLifetime;
}

/** How the tokens of a request, or of many, are billed; the parts sum to `total`. */
export interface ReplayTokens {
  read: number;
  readonly write: Record<CacheLifetime, number>;
  uncached: number;
  total: number;
}

/** How a prompt is marked for a cache, and how that cache works. */
export interface CacheSetup {
  /** The markers of the request at an index of the trace, in the order of their blocks. */
  readonly markersOf: (index: number) => readonly Marker[];
  readonly rules: CacheRules;
}

/** What a replay can be told besides markers and rules. */
export interface ReplayOptions {
  /** Probability in (0, 1] that a read which the rules allow does happen; caches are best effort. Drawn from `seed`. */
  readonly reliability?: number;
  readonly seed?: number;
  /** Requests before this index fill the cache and are not counted. */
  readonly countFrom?: number;
  /** Hears of every counted request; the object is reused. `readBlock` is the last block that was read, -1 for none. */
  readonly onRequest?: (index: number, tokens: ReplayTokens, readBlock: number) => void;
}

/** Prefixes up to this number can be told apart. */
const maxBlocks = 2 ** 26;

/** Numbers the prefixes of a trace. Requests may come in any order. */
export function prepareTrace(requests: readonly TraceRequest[]): PreparedTrace {
  const blockNumbers = new Map<string, number>();
  const prefixNumbers = new Map<number, number>();
  const numberOf = (hash: string): number => {
    const existing = blockNumbers.get(hash);
    if (existing !== undefined) return existing;
    blockNumbers.set(hash, blockNumbers.size + 1);
    return blockNumbers.size;
  };
  const extend = (parent: number, block: number): number => {
    const key = parent * maxBlocks + block;
    const existing = prefixNumbers.get(key);
    if (existing !== undefined) return existing;
    prefixNumbers.set(key, prefixNumbers.size + 1);
    return prefixNumbers.size;
  };
  // One piece of memory for all: a hundred thousand small arrays would weigh more than what is in them.
  const count = requests.reduce((sum, { blocks }) => sum + blocks.length, 0);
  const prefixes = new Int32Array(count);
  const sums = new Float64Array(count);
  let used = 0;
  const prepared = requests
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, ttftMs, blocks, messagesFrom = -1, parameters }): PreparedRequest => {
      const prefix = prefixes.subarray(used, used + blocks.length);
      const upTo = sums.subarray(used, used + blocks.length);
      used += blocks.length;
      let parent = 0;
      let tokens = 0;
      for (const [index, block] of blocks.entries()) {
        if (index === messagesFrom && parameters !== undefined) parent = extend(parent, numberOf(`parameters ${parameters}`));
        parent = extend(parent, numberOf(block.hash));
        tokens += block.tokens;
        prefix[index] = parent;
        upTo[index] = tokens;
      }
      return { at, readyAt: at + ttftMs, prefix, upTo, totalTokens: tokens };
    });
  return { requests: prepared, prefixes: prefixNumbers.size + 1 };
}

/** Tokens of nothing. */
export function noReplayTokens(): ReplayTokens {
  return { read: 0, write: { "5m": 0, "30m": 0, "1h": 0, "12h": 0 }, uncached: 0, total: 0 };
}

/** The part of the prompt tokens that is read from the cache, 0 to 1. */
export function hitRatio({ read, total }: Pick<ReplayTokens, "read" | "total">): number {
  return total === 0 ? 0 : read / total;
}

/**
 * Replays a trace through a provider's cache. Where the rules leave something open, less is read: an entry lives from the request that wrote or read it,
 * and a read refreshes only the entries that its markers found.
 */
export function replayCache(trace: PreparedTrace, { markersOf, rules }: CacheSetup, options: ReplayOptions = {}): ReplayTokens {
  const readyAt = new Float64Array(trace.prefixes).fill(Number.POSITIVE_INFINITY);
  const expiresAt = new Float64Array(trace.prefixes).fill(Number.NEGATIVE_INFINITY);
  const lives = new Float64Array(trace.prefixes);
  const { reliability = 1, countFrom = 0 } = options;
  const random = createRandom(options.seed ?? 1);
  const sum = noReplayTokens();
  const one = noReplayTokens();

  for (const [index, request] of trace.requests.entries()) {
    const { at, prefix, upTo } = request;
    const markers = withAutomatic(markersOf(index), rules, prefix.length);
    let read = -1;
    for (const { block } of markers) {
      const stop = Math.max(-1, block - rules.lookbackBlocks);
      for (let back = block; back > stop; back -= 1) {
        const entry = prefix[back] ?? 0;
        if ((readyAt[entry] ?? 0) > at || (expiresAt[entry] ?? 0) < at) continue;
        expiresAt[entry] = at + (lives[entry] ?? 0);
        if (back > read) read = back;
        break;
      }
    }
    if (read >= 0 && reliability < 1 && random() >= reliability) read = -1;

    one.read = read < 0 ? 0 : (upTo[read] ?? 0);
    one.write["5m"] = one.write["30m"] = one.write["1h"] = one.write["12h"] = 0;
    let covered = one.read;
    const write = (block: number, ttl: CacheLifetime): void => {
      const tokens = upTo[block] ?? 0;
      if (tokens <= covered || tokens < rules.minTokens) return;
      one.write[ttl] += tokens - covered;
      covered = tokens;
      const entry = prefix[block] ?? 0;
      const lasts = rules.lifetimeMs[ttl];
      // Another request may have written it a moment ago: then it is ready earlier.
      const alive = (expiresAt[entry] ?? 0) >= at;
      readyAt[entry] = alive ? Math.min(readyAt[entry] ?? request.readyAt, request.readyAt) : request.readyAt;
      expiresAt[entry] = alive ? Math.max(expiresAt[entry] ?? 0, at + lasts) : at + lasts;
      lives[entry] = lasts;
    };
    if (rules.automatic === "everywhere") {
      for (let block = Math.max(0, read); block < prefix.length; block += 1) write(block, rules.lifetimes[0] ?? "5m");
    } else {
      for (const { block, ttl } of markers) write(block, ttl);
    }
    one.uncached = request.totalTokens - covered;
    one.total = request.totalTokens;
    if (index < countFrom) continue;
    sum.read += one.read;
    sum.write["5m"] += one.write["5m"];
    sum.write["30m"] += one.write["30m"];
    sum.write["1h"] += one.write["1h"];
    sum.write["12h"] += one.write["12h"];
    sum.uncached += one.uncached;
    sum.total += one.total;
    options.onRequest?.(index, one, read);
  }
  return sum;
}

/** The markers with the one that the provider sets at the end. */
function withAutomatic(markers: readonly Marker[], rules: CacheRules, length: number): readonly Marker[] {
  const last = length - 1;
  if (rules.automatic === "nothing" || last < 0 || markers.at(-1)?.block === last) return markers;
  return [...markers, { block: last, ttl: markers.at(-1)?.ttl ?? rules.lifetimes[0] ?? "5m" }];
}
