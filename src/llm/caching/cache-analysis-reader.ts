import type { CacheAnalysisResult, SampleGroup } from "../../../packages/sdk/src/wire/caches.ts";
import type { Instant } from "../../core/clock.ts";
import type { VersionMeasure } from "./compare-versions.ts";

/** What is known about the caching of prompts. */
export interface CacheAnalysisReader {
  /** The newest analysis of every prompt on every model that has samples. */
  list(): Promise<readonly (SampleGroup & { readonly reply: CacheAnalysisResult })[]>;
  /** A fresh analysis of all samples, or what is missing for one. */
  analyze(group: SampleGroup, signal: AbortSignal): Promise<CacheAnalysisResult>;
  /** What each version did since `from` (UTC ms); the first `coldMs` of a version do not count. */
  measure(group: SampleGroup, window: { readonly from: Instant; readonly coldMs: number }): Promise<readonly VersionMeasure[]>;
}
