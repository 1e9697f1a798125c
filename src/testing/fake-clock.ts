import type { Clock, Instant } from "../core/clock.ts";

/** A clock that stands still until the test moves it. */
export interface FakeClock extends Clock {
  /** Lets `ms` pass: sleeps that fall due resolve in the order of their instants, and whatever they start may sleep again within the same span. */
  advance(ms: number): Promise<void>;
  /** Moves wall time only, as an operator or NTP does; sleeps and the monotonic clock do not notice. */
  jumpTo(at: Instant): void;
  /** How many sleeps are open. */
  sleeping(): number;
}

interface Sleeper {
  readonly due: number;
  readonly order: number;
  readonly wake: () => void;
}

/** Starts at wall time `at`; monotonic time starts at 0. */
export function createFakeClock(at: Instant = Date.UTC(2026, 0, 5)): FakeClock {
  let offset = at;
  let passed = 0;
  let count = 0;
  const sleepers = new Set<Sleeper>();

  const nextDue = (until: number) => [...sleepers].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due || a.order - b.order)[0];

  return {
    now: () => offset + passed,
    monotonic: () => passed,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason);
          return;
        }
        const onAbort = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          due: passed + Math.max(0, ms),
          order: count++,
          wake: () => {
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", onAbort, { once: true });
      }),
    async advance(ms) {
      const until = passed + ms;
      await settle();
      for (let sleeper = nextDue(until); sleeper !== undefined; sleeper = nextDue(until)) {
        passed = sleeper.due;
        sleepers.delete(sleeper);
        sleeper.wake();
        await settle();
      }
      passed = until;
      await settle();
    },
    jumpTo: (instant) => {
      offset = instant - passed;
    },
    sleeping: () => sleepers.size,
  };
}

/** Lets everything that needs no real waiting run to its next sleep. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
