import { setTimeout } from "node:timers/promises";

/** Waiting, injected so that tests own the time. */
export interface Timer {
  /** Resolves after `ms` milliseconds; rejects when `signal` is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Waits in real time. */
export function createTimer(): Timer {
  return { sleep: async (ms, signal) => setTimeout(ms, undefined, signal === undefined ? {} : { signal }) };
}
