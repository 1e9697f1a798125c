import { describeFreeze, type FreezeQuery, isHeldBack } from "../../core/freeze.ts";
import type { AttemptDeps } from "./bind-call.ts";

/** An effect that is under way is cut at most this long, and one look, after the kill switch was set. */
const lookEveryMs = 1000;

/** A look-out while an effect is under way; dispose it when the effect is over. */
export interface FreezeWatch extends Disposable {
  /** Aborted when a freeze that covers the effect appears. Made when it is first asked for, as most effects are over before anybody does. */
  readonly signal: AbortSignal;
}

/**
 * Looks for a freeze once a second. Bytes that were sent are not called back: what became of the effect is settled by its class, as after any cut.
 * A look that fails is made again, because the intent was written while nothing was frozen.
 */
export function watchFreeze(query: FreezeQuery | undefined, { clock, freezes, frozen }: AttemptDeps): FreezeWatch {
  let isOver = false;
  let cut: AbortController | undefined;
  let found: DOMException | undefined;
  const look = async (of: FreezeQuery): Promise<void> => {
    const outside = await frozen?.();
    const standing = [...(outside === undefined ? [] : [outside]), ...((await freezes?.()) ?? [])];
    const freeze = standing.find((one) => isHeldBack(of, one));
    if (freeze === undefined) return;
    found = new DOMException(describeFreeze(freeze), "AbortError");
    cut?.abort(found);
  };
  const repeat = async (of: FreezeQuery): Promise<void> => {
    for (;;) {
      // Not cut short at the end of the effect: a timer that runs out costs less than a signal for every effect.
      await clock.sleep(lookEveryMs);
      if (isOver || found !== undefined) return;
      await look(of).catch(() => undefined);
    }
  };
  if (query !== undefined && (freezes !== undefined || frozen !== undefined)) void repeat(query);
  return {
    get signal() {
      if (cut === undefined) {
        cut = new AbortController();
        if (found !== undefined) cut.abort(found);
      }
      return cut.signal;
    },
    [Symbol.dispose]: () => void (isOver = true),
  };
}
