/** How many runs this process has in hand, counted over the doorbell and the sweeper together. */
export interface ConcurrencyLimiter {
  /** Further runs that may be taken; 0 or less means none. */
  free(): number;
  /** Resolves when nothing is in hand. */
  settled(): Promise<void>;
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
  return {
    free: () => capacity - active,
    async settled() {
      if (active > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async run(work) {
      active += 1;
      try {
        return await work();
      } finally {
        active -= 1;
        if (active === 0) {
          for (const resolve of waiting) resolve();
          waiting = [];
        }
      }
    },
  };
}
