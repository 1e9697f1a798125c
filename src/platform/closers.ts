import { type Clock, within } from "../core/clock.ts";

/** Milliseconds that closing waits for a Redis that is away: nothing is in hand by then, and nothing is lost. */
export const withRedisMs = 2000;

/** Releases what was acquired, last first, each by name. A half-finished start unwinds by the same path as an orderly end. */
export interface Closers {
  /** Registered in the same breath in which the thing is acquired. `withinMs`: how long its release may take, 10 s if not told. */
  add(name: string, close: () => Promise<void> | void, withinMs?: number): void;
  /** Runs each once, bounded in time; tells what failed. May be called twice. */
  close(): Promise<void>;
}

const defaultTimeoutMs = 10_000;

/** `failed` hears of a release that threw or took too long; the others still run. */
export function createClosers(failed: (name: string, error: unknown) => void, clock: Pick<Clock, "sleep">): Closers {
  const stack: { readonly name: string; readonly close: () => Promise<void> | void; readonly withinMs: number }[] = [];
  return {
    add: (name, close, withinMs = defaultTimeoutMs) => void stack.push({ name, close, withinMs }),
    async close() {
      for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
        const { name, close, withinMs } = next;
        try {
          await within(clock, withinMs, Promise.resolve(close()));
        } catch (error) {
          failed(name, error);
        }
      }
    },
  };
}
