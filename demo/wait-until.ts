import type { Clock } from "../src/core/clock.ts";

/**
 * Asks `look` every `everyMs` until it answers something. Rejects with `what` when `withinMs` is over, and with the signal's reason when aborted.
 * A `look` that throws counts as not yet.
 */
export async function waitUntil<Value>(
  clock: Clock,
  what: string,
  poll: () => Promise<Value | undefined>,
  options: { readonly withinMs: number; readonly everyMs?: number; readonly signal?: AbortSignal },
): Promise<Value> {
  const deadline = clock.monotonic() + options.withinMs;
  let last = "";
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const value = await poll();
      if (value !== undefined) return value;
    } catch (error) {
      last = error instanceof Error ? `: ${error.message}` : "";
    }
    if (clock.monotonic() > deadline) throw new Error(`${what} within ${Math.round(options.withinMs / 1000)} s${last}`);
    await clock.sleep(options.everyMs ?? 100, options.signal);
  }
}
