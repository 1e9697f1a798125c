import type { CacheReply, SampleGroup } from "../../../packages/sdk/src/wire/caches.ts";
import type { Instant } from "../../core/clock.ts";
import type { VersionMeasure } from "./compare-versions.ts";

/** What is known about the caching of prompts. */
export interface CacheAnalysisReader {
  /** The newest analysis of every prompt on every model that has samples. */
  list(): Promise<readonly (SampleGroup & { readonly reply: CacheReply })[]>;
  /** A fresh analysis of all samples, or what is missing for one. */
  analyse(group: SampleGroup, signal: AbortSignal): Promise<CacheReply>;
  /** What each version did since `from` (UTC ms); the first `coldMs` of a version do not count. */
  measure(group: SampleGroup, window: { readonly from: Instant; readonly coldMs: number }): Promise<readonly VersionMeasure[]>;
}
