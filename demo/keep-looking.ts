import type { Clock } from "../src/core/clock.ts";

/** How often to look, and what to do with a look that failed. */
export interface LookingOptions {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Gets the error of a look that failed; the next look is made all the same. */
  readonly onFailure?: (message: string) => void;
}

/** Looks that go on beside something else. */
export interface Looking {
  /** Resolves when the look in hand has ended. Also to be called when what goes on beside is interrupted: a loop keeps the process alive. */
  stop(): Promise<void>;
}

/** Looks again and again until it is stopped. */
export function keepLooking(look: () => Promise<void>, { clock, everyMs, onFailure }: LookingOptions): Looking {
  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted) {
      await look().catch((error: unknown) => onFailure?.(error instanceof Error ? error.message : String(error)));
      await clock.sleep(everyMs, over.signal).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      over.abort();
      await looking;
    },
  };
}
