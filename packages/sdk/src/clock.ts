import { setTimeout } from "node:timers/promises";

/** What the client waits with, injected so that tests control the time. */
export interface Clock {
  /** UTC milliseconds. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects when `signal` is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A signal that is aborted after `ms` milliseconds, a whole number. Does not keep the process alive. */
  timeout(ms: number): AbortSignal;
}

/** Waits in real time. */
export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    sleep: async (ms, signal) => setTimeout(ms, undefined, signal === undefined ? {} : { signal }),
    timeout: (ms) => AbortSignal.timeout(ms),
  };
}
