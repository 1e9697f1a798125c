import { describeFreeze, type FreezeQuery, isFrozenBy } from "../../core/freeze.ts";
import type { ActiveRunDeps } from "./active-run.ts";

/** An effect that is under way is aborted at most this long, and one reading, after the kill switch was set. */
const pollIntervalMs = 1000;

/** Polls the freezes while an effect is under way; dispose it when the effect is over. */
export interface FreezeWatch extends Disposable {
  /** Aborted when a freeze that covers the effect appears. Created when it is first read, because most effects are over before that. */
  readonly signal: AbortSignal;
}

/**
 * Reads the freezes once a second. Bytes that were sent are not recalled: the effect's class decides what its outcome is, as after any abort.
 * A reading that fails is repeated, because the intent was written while nothing was frozen.
 */
export function watchFreeze(query: FreezeQuery | undefined, { clock, freezes, frozen }: ActiveRunDeps): FreezeWatch {
  let isOver = false;
  let cut: AbortController | undefined;
  let abortReason: DOMException | undefined;
  const poll = async (of: FreezeQuery): Promise<void> => {
    const outside = await frozen?.();
    const standing = [...(outside === undefined ? [] : [outside]), ...((await freezes?.()) ?? [])];
    const freeze = standing.find((one) => isFrozenBy(of, one));
    if (freeze === undefined) return;
    abortReason = new DOMException(describeFreeze(freeze), "AbortError");
    cut?.abort(abortReason);
  };
  const repeat = async (of: FreezeQuery): Promise<void> => {
    for (;;) {
      // Not cut short at the end of the effect: a timer that runs out costs less than a signal for every effect.
      await clock.sleep(pollIntervalMs);
      if (isOver || abortReason !== undefined) return;
      await poll(of).catch(() => undefined);
    }
  };
  if (query !== undefined && (freezes !== undefined || frozen !== undefined)) void repeat(query);
  return {
    get signal() {
      if (cut === undefined) {
        cut = new AbortController();
        if (abortReason !== undefined) cut.abort(abortReason);
      }
      return cut.signal;
    },
    [Symbol.dispose]: () => void (isOver = true),
  };
}
