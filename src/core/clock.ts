/** A moment in UTC, in milliseconds since 1970-01-01. */
export type Instant = number;

/** Something that happens later, until it is stopped. */
export interface Timer {
  /** Nothing happens any more; may be called twice. */
  stop(): void;
}

/** The only source of time. Injected everywhere, so that tests and rehearsals control the time. */
export interface Clock {
  /** Wall time. May jump; never used to measure a lease. */
  now(): Instant;
  /** Milliseconds that never jump backwards; only differences mean anything. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. Keeps the process alive until then. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once, after `ms`. Does not keep the process alive. */
  after(ms: number, run: () => void): Timer;
  /** Calls `run` again and again, first after `ms`. Does not keep the process alive. */
  every(ms: number, run: () => void): Timer;
  /** A signal that is aborted after `ms` (a whole number) with a DOMException named TimeoutError. Does not keep the process alive. */
  timeout(ms: number): AbortSignal;
}

/** The machine's own clock. */
export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: sleepWith((ms, run) => {
      const timer = setTimeout(run, ms);
      return { stop: () => clearTimeout(timer) };
    }),
    after(ms, run) {
      const timer = setTimeout(run, ms).unref();
      return { stop: () => clearTimeout(timer) };
    },
    every(ms, run) {
      const timer = setInterval(run, ms).unref();
      return { stop: () => clearInterval(timer) };
    },
    timeout: (ms) => AbortSignal.timeout(ms),
  };
}

/** A clock's `sleep` over its timers: `after` calls once, after milliseconds. */
export function sleepWith(after: Clock["after"]): Clock["sleep"] {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        timer.stop();
        reject(signal?.reason);
      };
      const timer = after(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
}

/** The value of `work`; rejects with a DOMException named TimeoutError when it takes longer than `ms`. The work itself goes on. */
export async function within<Value>(clock: Pick<Clock, "sleep">, ms: number, work: Promise<Value>): Promise<Value> {
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then((): never => {
    throw new DOMException(`took longer than ${ms} ms`, "TimeoutError");
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** Resolves after everything that is ready now has run, so that a long calculation does not hold up requests. No time passes for a clock. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
