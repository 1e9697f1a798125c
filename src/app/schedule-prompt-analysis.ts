import type { Redis } from "ioredis";
import { yieldToEventLoop } from "../core/clock.ts";
import { analyzePrompts } from "../llm/caching/analyze-prompts.ts";
import type { CacheAnalysisStore } from "../llm/caching/cache-analysis-store.ts";
import { createPrefixSampleStore } from "../llm/usage/redis-prefix-samples.ts";
import type { ScheduledTask } from "../platform/queue/scheduled-work.ts";
import type { Runtime } from "./runtime.ts";

const analysisIntervalMs = 60_000;

/** What an analysis of prompts needs, for the background and for runs. */
export function openAnalyst({ config, clock, prices }: Runtime, redis: Redis) {
  return {
    samples: createPrefixSampleStore(redis),
    prices,
    clock,
    timeFactor: config.timeFactor,
    pause: yieldToEventLoop,
  };
}

/** The analysis of the caching of all prompts, for one process of all; nothing waits for it. */
export function schedulePromptAnalysis(
  { config, clock }: Runtime,
  analyst: ReturnType<typeof openAnalyst>,
  cacheAnalysisStore: CacheAnalysisStore,
): ScheduledTask {
  const intervalMs = Math.max(1000, analysisIntervalMs / config.timeFactor);
  const deps = { ...analyst, clock, cacheAnalysisStore, intervalMs };
  return { name: "prompt-analysis", intervalMs, run: async (signal) => analyzePrompts(deps, signal) };
}
