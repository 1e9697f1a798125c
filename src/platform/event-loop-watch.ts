import type { Clock } from "../core/clock.ts";
import { blockedMsOf, judgeEventLoop, type LongTurn, turnsToKeep } from "../core/judge-event-loop.ts";
import type { Log } from "../core/log.ts";

/** What a watch works with. */
export interface EventLoopWatchOptions {
  readonly clock: Pick<Clock, "monotonic" | "every">;
  /** Processor time of the thread that runs the loop, in milliseconds; only differences mean anything. */
  readonly cpuMs: () => number;
  readonly log: Pick<Log, "info" | "warn" | "error">;
  /** The loop is stuck: the process should end. Called once. */
  readonly stuck: () => void;
}

/** Watches the event loop of this process. */
export interface EventLoopWatch {
  /** Whether nothing new may be claimed now. */
  isHeld(): boolean;
  /** Calls `changed` after each change of {@link EventLoopWatch.isHeld}; the result ends that. */
  onChange(changed: (isHeld: boolean) => void): () => void;
  stop(): void;
}

const tickMs = 500;

/** Measures how late a timer is, twice a second, and says when the loop is blocked, free again, or stuck. */
export function startEventLoopWatch({ clock, cpuMs, log, stuck }: EventLoopWatchOptions): EventLoopWatch {
  const listeners = new Set<(isHeld: boolean) => void>();
  let turns: readonly LongTurn[] = [];
  let held = false;
  let last = { at: clock.monotonic(), cpu: cpuMs() };

  const become = (isHeld: boolean, blockedMs: number): void => {
    if (isHeld === held) return;
    held = isHeld;
    if (isHeld) log.warn({ blockedMs: Math.round(blockedMs) }, "The event loop was blocked; nothing is claimed until it is free again.");
    else log.info({}, "The event loop is free again.");
    for (const changed of listeners) changed(isHeld);
  };
  const timer = clock.every(tickMs, () => {
    const now = { at: clock.monotonic(), cpu: cpuMs() };
    const blockedMs = blockedMsOf({ lateMs: now.at - last.at - tickMs, cpuMs: now.cpu - last.cpu });
    last = now;
    turns = turnsToKeep([...turns, { at: now.at, blockedMs }], now.at);
    const judgement = judgeEventLoop(turns, now.at);
    become(judgement !== "free", blockedMs);
    if (judgement !== "stuck") return;
    timer.stop();
    log.error({ blockedMs: Math.round(blockedMs) }, "The event loop is stuck; the process ends, and others take its runs over.");
    stuck();
  });
  return {
    isHeld: () => held,
    onChange(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
    stop: () => timer.stop(),
  };
}
