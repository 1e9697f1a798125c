import type { Redis } from "ioredis";
import { yieldToEventLoop } from "../core/clock.ts";
import type { CacheAnalysisStore } from "../llm/caching/cache-analysis-store.ts";
import { startAnalyzeWorker } from "../llm/caching/jobs.ts";
import { createPrefixSampleStore } from "../llm/usage/redis-prefix-samples.ts";
import { withRedisMs } from "../platform/closers.ts";
import type { Runtime } from "./runtime.ts";

const analyzeEveryMs = 60_000;

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

/** Analyses the caching of prompts in the background; nothing waits for it. */
export function analyzePrompts(
  { config, log, closers, ending, clock }: Runtime,
  analyst: ReturnType<typeof openAnalyst>,
  board: CacheAnalysisStore,
): void {
  const analysing = startAnalyzeWorker(
    {
      ...analyst,
      clock,
      board,
      failed: (error) => log.warn({ error }, "The caching of prompts could not be analysed; it will be."),
    },
    { everyMs: Math.max(1000, analyzeEveryMs / config.timeFactor), drain: ending.signal },
  );
  closers.add("analysis of prompts", async () => analysing.close(), withRedisMs);
}
