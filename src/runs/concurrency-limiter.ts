/** How many runs this process has in hand, counted over the doorbell and the sweeper together. */
export interface ConcurrencyLimiter {
  /** Further runs that may be taken; 0 or less means none. */
  free(): number;
  /** Resolves when nothing is in hand. */
  settled(): Promise<void>;
  /** Is called whenever work has ended and there is room. */
  onFree(listener: () => void): void;
  /** Counts while the work goes on. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
}

/**
 * The sweeper takes only what the doorbell leaves free. In a storm both would reach for the oldest runs, and each run would be claimed twice;
 * when the doorbell is dead the whole hand is the sweeper's.
 */
export function createConcurrencyLimiter(capacity: number): ConcurrencyLimiter {
  let active = 0;
  let waiting: (() => void)[] = [];
  const listeners: (() => void)[] = [];
  return {
    free: () => capacity - active,
    async settled() {
      if (active > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    onFree: (listener) => void listeners.push(listener),
    async run(work) {
      active += 1;
      try {
        return await work();
      } finally {
        active -= 1;
        if (active < capacity) for (const listener of listeners) listener();
        if (active === 0) {
          for (const resolve of waiting) resolve();
          waiting = [];
        }
      }
    },
  };
}
