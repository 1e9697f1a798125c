import { analysePrompt, type CacheAnalyst } from "../src/actions/analyse-prompt.ts";
import type { CacheBoard } from "../src/analysis/cache-board.ts";
import type { Clock } from "../src/core/clock.ts";
import type { PrefixSampleStore } from "../src/workload/prefix-samples.ts";
import type { WorkerHandle } from "./run.ts";

/** What the analysis of prompts works with. */
export interface AnalyseWorkerDeps extends CacheAnalyst {
  readonly samples: PrefixSampleStore;
  readonly board: CacheBoard;
  readonly clock: Clock;
  /** Something went wrong; it is tried again. Never throws. */
  readonly failed: (error: unknown) => void;
}

/** What was not analysed for so long has no samples any more. */
const forgetMs = 7 * 86_400_000;

/** Every `everyMs` one of all workers analyses every prompt that has new samples, and puts what it found where all can read it. */
export function startAnalyseWorker(
  deps: AnalyseWorkerDeps,
  { everyMs, drain }: { readonly everyMs: number; readonly drain: AbortSignal },
): WorkerHandle {
  const { board, samples, clock } = deps;
  const look = async (): Promise<void> => {
    if (!(await board.takeTurn(everyMs * 0.9))) return;
    const known = new Map((await board.list()).map((state) => [keyOf(state), state.newestAt]));
    for (const group of await samples.groups()) {
      if (drain.aborted) return;
      const [newest] = await samples.read(group, 1);
      if (newest === undefined || newest.at <= (known.get(keyOf(group)) ?? -1)) continue;
      await board.put(await analysePrompt(group, deps));
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
