import type { Clock } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import type { PrefixSampleStore } from "../usage/prefix-samples.ts";
import { analyzePrompt, type CacheAnalyst } from "./analyze-prompt.ts";
import type { CacheAnalysisStore } from "./cache-analysis-store.ts";

/** What the analysis of all prompts needs. */
export interface PromptAnalysisDeps extends CacheAnalyst {
  readonly samples: PrefixSampleStore;
  readonly cacheAnalysisStore: CacheAnalysisStore;
  readonly clock: Clock;
  /** How often it is repeated, in milliseconds. */
  readonly intervalMs: number;
}

/** Intervals between two cacheAnalysisStore of one prompt: an analysis costs up to a second. */
const minIntervals = 5;
/** A prompt that was not analyzed for so long has no samples any more. */
const retentionMs = 7 * dayMs;

/**
 * Analyzes every prompt that has new samples and stores the results where every process reads them. A prompt is analyzed again after five intervals
 * at the earliest; one with too few samples, at the next tick. Ends early, without an error, when the signal is aborted.
 */
export async function analyzePrompts(deps: PromptAnalysisDeps, signal: AbortSignal): Promise<void> {
  const { cacheAnalysisStore, samples, clock, intervalMs } = deps;
  const storedByPrompt = new Map((await cacheAnalysisStore.list()).map((state) => [keyOf(state), state]));
  for (const group of await samples.groups()) {
    if (signal.aborted) return;
    const stored = storedByPrompt.get(keyOf(group));
    if (stored?.reply.kind === "analysed" && clock.now() - stored.at < intervalMs * minIntervals) continue;
    const [newest] = await samples.read(group, 1);
    if (newest === undefined || newest.at <= (stored?.newestAt ?? -1)) continue;
    await cacheAnalysisStore.put(await analyzePrompt(group, deps));
  }
  await cacheAnalysisStore.prune(clock.now() - retentionMs);
}

function keyOf({ prompt, provider, model }: { readonly prompt: string; readonly provider: string; readonly model: string }): string {
  return JSON.stringify([prompt, provider, model]);
}
