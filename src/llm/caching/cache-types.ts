import type { MicroUsd } from "../../core/money.ts";
import type { BreakClass, BrokenUnit } from "./cache-breaks.ts";
import type { UnitBehaviour } from "./cache-units.ts";
import type { Calibration } from "./calibrate-replay.ts";
import type { MissCause } from "./explain-misses.ts";
import type { UnitMarker } from "./search-markers.ts";

/**
 * What mends a prompt's caching. T1 canonical form, T2 volatile spans go to the end, T3 units in the order of their stability, T4 a conditional section
 * behind what stays, T5 parameters pinned per ticket, T6 lifetime or leader before fan-out, T7 markers below the minimum go, `markers` placed anew.
 */
export const cacheTransforms = ["T1", "T2", "T3", "T4", "T5", "T6", "T7", "markers"] as const;

/** See {@link cacheTransforms}. */
export type CacheTransform = (typeof cacheTransforms)[number];

/** One thing that keeps a prompt from being read from the cache. */
export interface CacheCause {
  /** The layer, the place (`tools`, `system block 2`), `parameters`, or `prompt` for what concerns it as a whole. */
  readonly unit: string;
  readonly class: BreakClass | MissCause;
  readonly transform: CacheTransform;
  /** `none`: nothing changes for the model. `low`: data moves. `medium`: text moves, so answers are compared. `cost`: it may cost more. */
  readonly risk: "none" | "low" | "medium" | "cost";
  /** For people. */
  readonly sentence: string;
  /** What it rests on. */
  readonly evidence: Partial<Pick<BrokenUnit, "breakRatio" | "damageTokens" | "spans" | "agreement">> & {
    /** Orders in which the same tools came. */
    readonly orders?: number;
    /** What differs between two requests, with a little around it; only where the application has opted in to texts. */
    readonly example?: readonly [string, string];
    /** Missed tokens of all prompt tokens, 0 to 1. */
    readonly missedShare?: number;
  };
  /** Predicted hit ratio, 0 to 1, once this cause and those before it are mended and markers placed well. */
  readonly hitAfter: number;
  /** What that saves a day against what was measured; micro-USD. */
  readonly savedAfterMicroUsdPerDay: MicroUsd;
}

/** Why nothing is changed automatically. */
export const cacheBlocks = ["uncalibrated", "no_layers", "nothing_to_gain", "not_the_layout"] as const;

/** See {@link cacheBlocks}. */
export type CacheBlock = (typeof cacheBlocks)[number];

/**
 * What is known about one prompt on one model. Ratios are 0 to 1, money is micro-USD of input tokens and per day. While the replay is refused, or when no layout
 * would be cheaper, every prediction is what was measured.
 */
export interface CacheAnalysis {
  readonly requests: number;
  readonly contradictory: number;
  readonly spanMs: number;
  readonly calibration: Calibration;
  readonly measuredHit: number;
  /** The best that its blocks allow, with a marker behind each of them; absent while the replay is refused. */
  readonly achievableHit?: number;
  readonly costPerDay: MicroUsd;
  /** What it costs beyond the predicted layout. */
  readonly lostPerDay: MicroUsd;
  /** The one that is met first, first. */
  readonly causes: readonly CacheCause[];
  /** Transforms that the prediction includes, each once. */
  readonly transforms: readonly CacheTransform[];
  /** The markers that the prediction includes. */
  readonly markers: readonly UnitMarker[];
  readonly predictedHit: number;
  readonly predictedCostPerDay: MicroUsd;
  /** What a new layout brings by itself, where the prediction also needs what only the application can do: pinned parameters, one request before the rest. Absent: the same. */
  readonly byLayout?: { readonly hit: number; readonly costPerDay: MicroUsd; readonly markers: readonly UnitMarker[] };
  /** Units in the order that the prediction includes, as they behaved. */
  readonly units: readonly UnitBehaviour[];
  readonly promptTokens: number;
  /** Absent: a change may be drafted. */
  readonly blocked?: CacheBlock;
}

/** Why there is no analysis. */
export const cacheGaps = ["too_few_samples", "contradictory_usage", "unknown_rules", "unpriced"] as const;

/** An analysis, or what is missing for one. */
export type CacheReply =
  | { readonly kind: "analysed"; readonly analysis: CacheAnalysis }
  | {
      readonly kind: "missing";
      readonly reason: (typeof cacheGaps)[number];
      /** For people: what is there and what is needed. */
      readonly sentence: string;
    };
