import type { Clock, Instant } from "../core/clock.ts";
import { createTimerQueue } from "./timer-queue.ts";

/** A clock that moves only when it is waited for: a sleep moves it to the end of the sleep. For one worker at a time. */
export interface VirtualClock extends Clock {
  /** Moves on to `at`, unless that has passed already. What is planned for an instant on the way happens at that instant, in order. */
  moveTo(at: Instant): void;
  /** Plans something for later; it never happens when nobody waits that long. */
  plan(at: Instant, happen: () => void): void;
}

/** Starts at wall time `start`; monotonic time starts at 0. */
export function createVirtualClock(start: Instant): VirtualClock {
  let now = start;
  const monotonic = () => now - start;
  const timers = createTimerQueue(monotonic);

  function moveTo(at: Instant): void {
    for (let next = timers.takeDue(at - start); next !== undefined; next = timers.takeDue(at - start)) {
      now = Math.max(now, start + next.due);
      next.run();
    }
    now = Math.max(now, at);
  }

  return {
    now: () => now,
    monotonic,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      moveTo(now + Math.max(0, ms));
      signal?.throwIfAborted();
    },
    after: (ms, run) => timers.after(ms, run),
    every: (ms, run) => timers.every(ms, run),
    timeout: (ms) => timers.timeout(ms),
    moveTo,
    plan: (at, happen) => void timers.at(at - start, happen),
  };
}
