import type { Clock, Timer } from "../core/clock.ts";

/** The timers of a clock that is moved by hand. All times are on the scale of its `monotonic`. */
export interface TimerQueue extends Pick<Clock, "after" | "every" | "timeout"> {
  /** Plans `run` for `due`, which may have passed already. */
  at(due: number, run: () => void): Timer;
  /** Removes and returns the earliest entry that is due at `until`; of two with the same time the one that was planned first. */
  takeDue(until: number): Planned | undefined;
}

/** One entry of the queue. */
export interface Planned {
  readonly due: number;
  readonly run: () => void;
}

/** An empty queue. Its owner moves the time and runs what `takeDue` returns. */
export function createTimerQueue(monotonic: () => number): TimerQueue {
  const queue: Planned[] = [];

  const at = (due: number, run: () => void): Timer => {
    const planned = { due, run };
    const later = queue.findIndex((other) => other.due > due);
    queue.splice(later < 0 ? queue.length : later, 0, planned);
    return {
      stop() {
        const place = queue.indexOf(planned);
        if (place >= 0) queue.splice(place, 1);
      },
    };
  };

  return {
    at,
    takeDue(until) {
      const [first] = queue;
      return first === undefined || first.due > until ? undefined : queue.shift();
    },
    after: (ms, run) => at(monotonic() + Math.max(0, ms), run),
    every(ms, run) {
      // As setInterval does; an interval of 0 would never let time pass.
      const step = Math.max(1, ms);
      let due = monotonic() + step;
      const again = () => {
        due += step;
        next = at(due, again);
        run();
      };
      let next = at(due, again);
      return { stop: () => next.stop() };
    },
    timeout(ms) {
      const controller = new AbortController();
      const reason = () => new DOMException("The operation was aborted due to timeout", "TimeoutError");
      at(monotonic() + ms, () => controller.abort(reason()));
      return controller.signal;
    },
  };
}
