import type { Clock } from "../../../core/clock.ts";
import type { WorkerHandle } from "../../../core/worker-handle.ts";
import type { ProviderBatchReconciler } from "./provider-batch-reconciler.ts";

/** What the keeper of provider batches goes by; all lengths in milliseconds. */
export interface KeepProvidersOptions {
  readonly everyMs: number;
  /** Costs are compared so often; providers count a few minutes late. */
  readonly compareEveryMs: number;
  readonly drain: AbortSignal;
  readonly clock: Clock;
  readonly settled: (key: string) => void;
  readonly failed: (error: unknown) => void;
}

/** Looks after submissions to providers until the drain. A look that fails is made again; what was in the middle is cut and goes on from the record. */
export function startProviderBatchReconciler(
  desk: Pick<ProviderBatchReconciler, "look" | "compare">,
  options: KeepProvidersOptions,
): WorkerHandle {
  const { clock, everyMs, compareEveryMs, failed } = options;
  const closing = new AbortController();
  const over = AbortSignal.any([options.drain, closing.signal]);
  let comparedAt = Number.NEGATIVE_INFINITY;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!over.aborted) failed(error);
    }
  };
  const keeping = (async () => {
    while (!over.aborted) {
      await attempt(async () => {
        for (const { key } of await desk.look(over)) options.settled(key);
      });
      if (clock.monotonic() - comparedAt >= compareEveryMs) {
        comparedAt = clock.monotonic();
        await attempt(async () => void (await desk.compare(over)));
      }
      await clock.sleep(everyMs, over).catch(() => undefined);
    }
  })();
  return {
    async close() {
      closing.abort();
      await keeping;
    },
  };
}
