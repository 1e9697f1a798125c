import type { Clock } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import type { WorkerHandle } from "../../core/worker-handle.ts";
import type { PrefixSampleStore } from "../usage/prefix-samples.ts";
import { analyzePrompt, type CacheAnalyst } from "./analyze-prompt.ts";
import type { CacheAnalysisStore } from "./cache-analysis-store.ts";

/** What the analysis of prompts works with. */
export interface AnalyzeWorkerDeps extends CacheAnalyst {
  readonly samples: PrefixSampleStore;
  readonly board: CacheAnalysisStore;
  readonly clock: Clock;
  /** Something went wrong; it is tried again. Never throws. */
  readonly failed: (error: unknown) => void;
}

/** Looks between two analyses of one prompt: an analysis costs up to a second. */
const restLooks = 5;
/** What was not analysed for so long has no samples any more. */
const forgetMs = 7 * dayMs;

/**
 * Every `everyMs` one of all workers looks at the prompts that have new samples, and puts what it found where all can read it. What was analysed is
 * analysed again after five times as long at the earliest; what had too few samples, at the next look.
 */
export function startAnalyzeWorker(
  deps: AnalyzeWorkerDeps,
  { everyMs, drain }: { readonly everyMs: number; readonly drain: AbortSignal },
): WorkerHandle {
  const { board, samples, clock } = deps;
  const look = async (): Promise<void> => {
    if (!(await board.takeTurn(everyMs * 0.9))) return;
    const known = new Map((await board.list()).map((state) => [keyOf(state), state]));
    for (const group of await samples.groups()) {
      if (drain.aborted) return;
      const before = known.get(keyOf(group));
      if (before?.reply.kind === "analysed" && clock.now() - before.at < everyMs * restLooks) continue;
      const [newest] = await samples.read(group, 1);
      if (newest === undefined || newest.at <= (before?.newestAt ?? -1)) continue;
      await board.put(await analyzePrompt(group, deps));
    }
    await board.prune(clock.now() - forgetMs);
  };
  const loop = async (): Promise<void> => {
    while (!drain.aborted) {
      await look().catch((error: unknown) => deps.failed(error));
      await clock.sleep(everyMs, drain).catch(() => undefined);
    }
  };
  const running = loop();
  return { close: async () => running };
}

function keyOf({ prompt, provider, model }: { readonly prompt: string; readonly provider: string; readonly model: string }): string {
  return JSON.stringify([prompt, provider, model]);
}
