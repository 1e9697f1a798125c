import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { WorkerHandle } from "./worker-handle.ts";

/** What one tick is told. */
export interface Tick {
  /** Aborted when the work should end; a tick in progress gives up what it can begin again. */
  readonly signal: AbortSignal;
  /** Whether it was asked for, and is not only due. */
  readonly triggered: boolean;
}

/** How work repeats. All lengths in milliseconds. */
export interface Periodic {
  /** Names the work in the log. */
  readonly name: string;
  /** From the end of a tick to the beginning of the next, unless the tick says otherwise. */
  readonly intervalMs: number;
  /** The shortest rest between two ticks, however often one is triggered; 0 by default. */
  readonly minPauseMs?: number;
  /** Multiplies each interval, so that processes do not tick in step; 1 by default. */
  readonly jitter?: () => number;
  readonly clock: Pick<Clock, "sleep">;
  readonly log: Pick<Log, "warn">;
  /** Ends the work as `close` does. */
  readonly signal: AbortSignal;
}

/** Work that repeats. */
export interface PeriodicWork extends WorkerHandle {
  /** Asks for a tick now, or right after the one in progress. */
  trigger(): void;
}

/**
 * Repeats what each process does for itself: ticks at once, and again after each interval, one tick at a time, until it is closed or the signal
 * is aborted. `tick` may return the milliseconds until the next one. A tick that throws is logged and repeated at the next interval.
 */
export function runPeriodically(periodic: Periodic, tick: (tick: Tick) => Promise<number | void>): PeriodicWork {
  const { intervalMs, minPauseMs = 0, jitter = () => 1, clock, log } = periodic;
  const closing = new AbortController();
  const signal = AbortSignal.any([periodic.signal, closing.signal]);
  let triggered = false;
  let wake = new AbortController();

  const tickOnce = async (wasTriggered: boolean): Promise<number> => {
    try {
      return (await tick({ signal, triggered: wasTriggered })) ?? intervalMs * jitter();
    } catch (error) {
      if (!signal.aborted) log.warn({ work: periodic.name, error }, "Background work failed; it is repeated at the next interval.");
      return intervalMs * jitter();
    }
  };
  const sleep = async (ms: number, until: AbortSignal): Promise<void> => {
    if (ms > 0) await clock.sleep(ms, until).catch(() => undefined);
  };
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      const wasTriggered = triggered;
      triggered = false;
      wake = new AbortController();
      const nextMs = await tickOnce(wasTriggered);
      await sleep(minPauseMs, signal);
      if (!triggered) await sleep(nextMs - minPauseMs, AbortSignal.any([signal, wake.signal]));
    }
  };
  const running = loop();
  return {
    trigger() {
      triggered = true;
      wake.abort();
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}
