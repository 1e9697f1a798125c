import { type Clock, type Instant, yieldToEventLoop } from "../../src/core/clock.ts";
import { createTimerQueue } from "../../src/rehearsal/timer-queue.ts";

/** A clock that stands still until the test moves it. */
export interface FakeClock extends Clock {
  /** Lets `ms` pass: sleeps and timers that fall due happen in the order of their instants, and what they start may sleep again within the same span. */
  advance(ms: number): Promise<void>;
  /** Moves wall time only, as an operator or NTP does; sleeps, timers and the monotonic clock do not notice. */
  jumpTo(at: Instant): void;
  /** How many sleeps are open. */
  sleeping(): number;
}

/** Starts at wall time `at`; monotonic time starts at 0. */
export function createFakeClock(at: Instant = Date.UTC(2026, 0, 5)): FakeClock {
  let offset = at;
  let passed = 0;
  let sleeping = 0;
  const timers = createTimerQueue(() => passed);

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
          sleeping -= 1;
          timer.stop();
          reject(signal?.reason);
        };
        sleeping += 1;
        const timer = timers.after(ms, () => {
          sleeping -= 1;
          signal?.removeEventListener("abort", onAbort);
          resolve();
        });
        signal?.addEventListener("abort", onAbort, { once: true });
      }),
    after: (ms, run) => timers.after(ms, run),
    every: (ms, run) => timers.every(ms, run),
    timeout: (ms) => timers.timeout(ms),
    async advance(ms) {
      const until = passed + ms;
      await yieldToEventLoop();
      for (let next = timers.takeDue(until); next !== undefined; next = timers.takeDue(until)) {
        passed = Math.max(passed, next.due);
        next.run();
        await yieldToEventLoop();
      }
      passed = until;
      await yieldToEventLoop();
    },
    jumpTo: (instant) => {
      offset = instant - passed;
    },
    sleeping: () => sleeping,
  };
}
