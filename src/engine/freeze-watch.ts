import { describeFreeze, type FreezeQuery, isHeldBack } from "../core/freeze.ts";
import type { AttemptDeps } from "./bind-call.ts";

/** An effect that is under way is cut at most this long, and one look, after the kill switch was set. */
const lookEveryMs = 1000;

/** A look-out while an effect is under way. `signal` is aborted when a freeze that covers it appears; dispose it when the effect is over. */
export interface FreezeWatch extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Looks for a freeze once a second. Bytes that were sent are not called back: what became of the effect is settled by its class, as after any cut.
 * A look that fails is made again, because the intent was written while nothing was frozen.
 */
export function watchFreeze(query: FreezeQuery | undefined, { clock, freezes, frozen }: AttemptDeps): FreezeWatch {
  const cut = new AbortController();
  const over = new AbortController();
  const look = async (of: FreezeQuery): Promise<void> => {
    while (!over.signal.aborted) {
      await clock.sleep(lookEveryMs, over.signal);
      const outside = await frozen?.();
      const standing = [...(outside === undefined ? [] : [outside]), ...((await freezes?.()) ?? [])];
      const freeze = standing.find((one) => isHeldBack(of, one));
      if (freeze !== undefined) return cut.abort(new DOMException(describeFreeze(freeze), "AbortError"));
    }
  };
  const repeat = async (of: FreezeQuery): Promise<void> => {
    while (!over.signal.aborted && !cut.signal.aborted) await look(of).catch(() => undefined);
  };
  if (query !== undefined && (freezes !== undefined || frozen !== undefined)) void repeat(query);
  return { signal: cut.signal, [Symbol.dispose]: () => over.abort() };
}
