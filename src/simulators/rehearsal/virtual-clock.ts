import type { Clock, Instant } from "../../core/clock.ts";

/** Time that passes only when somebody waits for it: a sleep moves it to the end of the sleep. Made for one worker at a time. */
export interface VirtualClock extends Clock {
  /** Moves on to `at`, unless that has passed already. What is planned for an instant on the way happens at that instant, in order. */
  moveTo(at: Instant): void;
  /** Plans something for later; it never happens when nobody waits that long. */
  plan(at: Instant, happen: () => void): void;
}

/** Starts at wall time `start`; monotonic time starts at 0. */
export function createVirtualClock(start: Instant): VirtualClock {
  let now = start;
  let planned: { readonly at: Instant; readonly happen: () => void }[] = [];

  function moveTo(at: Instant): void {
    for (;;) {
      const [next] = planned.filter((one) => one.at <= at).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      planned = planned.filter((one) => one !== next);
      now = Math.max(now, next.at);
      next.happen();
    }
    now = Math.max(now, at);
  }

  return {
    now: () => now,
    monotonic: () => now - start,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      moveTo(now + Math.max(0, ms));
      signal?.throwIfAborted();
    },
    moveTo,
    plan: (at, happen) => void planned.push({ at, happen }),
  };
}
