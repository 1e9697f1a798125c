import { type Clock, type Instant, sleepWith, type Timer } from "../../src/core/clock.ts";
import { createTimerQueue } from "../../src/rehearsal/timer-queue.ts";

/** One simulated process, as far as time is concerned. */
export interface TimedProcess {
  /** A process that was killed: none of its timers runs any more. */
  dead: boolean;
  /** Until then the process is stopped, in milliseconds since the world began; its timers run afterwards. */
  stoppedUntil: number;
  /** By how many milliseconds its wall clock differs from the world's. */
  offsetMs: number;
}

/** The time of a world. It passes only when the world says so. */
export interface WorldTime {
  /** Milliseconds since the world began. */
  elapsed(): number;
  /** UTC milliseconds. */
  now(): Instant;
  /** The clock that a process reads. */
  clockOf(process: TimedProcess): Clock;
  /** Moves to the next timer and runs it. False: there is none. */
  runNext(): boolean;
  /** Runs `run` after `ms`, whatever happens to any process. */
  plan(ms: number, run: () => void): Timer;
}

/** Resolves when nothing that a promise has begun can go on any more: Node empties the queue of promises before that of ticks. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.nextTick(resolve);
  });
}

const start: Instant = Date.UTC(2026, 0, 5);

/** Time that stands still at midnight of 2026-01-05 UTC. */
export function createWorldTime(): WorldTime {
  let passed = 0;
  const queue = createTimerQueue(() => passed);

  const fire = (process: TimedProcess, run: () => void): void => {
    if (process.dead) return;
    if (process.stoppedUntil > passed) queue.at(process.stoppedUntil, () => fire(process, run));
    else run();
  };

  const clockOf = (process: TimedProcess): Clock => {
    const after = (ms: number, run: () => void): Timer => queue.after(ms, () => fire(process, run));
    return {
      now: () => start + passed + process.offsetMs,
      monotonic: () => passed,
      sleep: sleepWith(after),
      after,
      every(ms, run) {
        let isStopped = false;
        const again = (): Timer =>
          after(ms, () => {
            if (isStopped) return;
            next = again();
            run();
          });
        let next = again();
        return {
          stop() {
            isStopped = true;
            next.stop();
          },
        };
      },
      timeout(ms) {
        const controller = new AbortController();
        after(ms, () => controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError")));
        return controller.signal;
      },
    };
  };

  return {
    elapsed: () => passed,
    now: () => start + passed,
    clockOf,
    plan: (ms, run) => queue.after(ms, run),
    runNext() {
      const next = queue.takeDue(Number.POSITIVE_INFINITY);
      if (next === undefined) return false;
      passed = Math.max(passed, next.due);
      next.run();
      return true;
    },
  };
}
