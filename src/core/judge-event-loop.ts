/** One turn of the event loop that took long. */
export interface LongTurn {
  /** When it was noticed; monotonic milliseconds. */
  readonly at: number;
  /** How long nothing else could happen, in milliseconds. */
  readonly blockedMs: number;
}

/** `held`: claim nothing new. `stuck`: end the process; another one takes its work over. */
export type LoopJudgement = "free" | "held" | "stuck";

/** A shorter turn is not counted. */
export const longTurnMs = 1000;
/** Nothing is claimed this long after a long turn: a lease lives for 6 s. */
const heldMs = 5000;
/** A turn that is stuck: after it the leases, which live for 6 s and are renewed within it, have been lost or nearly so. */
const stuckTurnMs = 5000;
/** As is a loop that was blocked for this long within {@link windowMs}. */
const stuckSumMs = 20_000;
const windowMs = 30_000;

/** What the turns of the last half minute say about the event loop. */
export function judgeEventLoop(turns: readonly LongTurn[], now: number): LoopJudgement {
  const recent = turnsToKeep(turns, now);
  if (recent.some(({ blockedMs }) => blockedMs >= stuckTurnMs)) return "stuck";
  if (recent.reduce((sum, { blockedMs }) => sum + blockedMs, 0) >= stuckSumMs) return "stuck";
  return recent.some(({ at }) => now - at < heldMs) ? "held" : "free";
}

/** The turns that a later judgement needs. */
export function turnsToKeep(turns: readonly LongTurn[], now: number): readonly LongTurn[] {
  return turns.filter(({ at, blockedMs }) => blockedMs >= longTurnMs && now - at < windowMs);
}

/**
 * How long a timer was held up by the thread that runs the loop itself; `cpuMs` is what that thread computed in the same time. A process that was stopped,
 * or that got no processor on a busy machine, or whose machine stood still, computed nothing: its lateness is nothing that ending it would cure.
 */
export function blockedMsOf({ lateMs, cpuMs }: { readonly lateMs: number; readonly cpuMs: number }): number {
  return Math.max(0, Math.min(lateMs, cpuMs));
}
