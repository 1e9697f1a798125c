import type { Freeze } from "../../../packages/sdk/src/wire/freezes.ts";
import type { Clock } from "../../core/clock.ts";
import { describeFreeze, type FreezeQuery, isFrozenBy } from "../../core/freeze.ts";
import type { EngineDeps } from "./engine-deps.ts";

/** An effect that is under way is aborted at most this long, and one reading, after the kill switch was set. */
const pollIntervalMs = 1000;

/** Polls the freezes while an effect is under way; dispose it when the effect is over. */
export interface FreezeWatch extends Disposable {
  /** Aborted when a freeze that covers the effect appears. Created when it is first read, because most effects are over before that. */
  readonly signal: AbortSignal;
}

/** Begins to watch for one effect; undefined: no freeze stops it. */
export type WatchFreeze = (query: FreezeQuery | undefined) => FreezeWatch;

/**
 * Reads the freezes once a second for all effects that are under way in this process. Bytes that were sent are not recalled: the effect's class decides
 * what its outcome is, as after any abort. A reading that fails is repeated, because the intent was written while nothing was frozen.
 */
export function createFreezeWatch(clock: Pick<Clock, "sleep">, { freezes, frozen }: Pick<EngineDeps, "freezes" | "frozen">): WatchFreeze {
  const watched = new Map<FreezeQuery, (freeze: Freeze) => void>();
  let isPolling = false;

  const poll = async (): Promise<void> => {
    const outside = await frozen?.();
    const standing = [...(outside === undefined ? [] : [outside]), ...((await freezes?.()) ?? [])];
    for (const [query, cut] of watched) {
      const freeze = standing.find((one) => isFrozenBy(query, one));
      if (freeze !== undefined) cut(freeze);
    }
  };
  const repeat = async (): Promise<void> => {
    while (watched.size > 0) {
      await clock.sleep(pollIntervalMs);
      if (watched.size > 0) await poll().catch(() => undefined);
    }
    isPolling = false;
  };

  return (asked) => {
    let controller: AbortController | undefined;
    let abortReason: DOMException | undefined;
    // An object of its own, because two effects may ask the same.
    const query = asked === undefined || (freezes === undefined && frozen === undefined) ? undefined : { ...asked };
    if (query !== undefined) {
      watched.set(query, (freeze) => {
        watched.delete(query);
        abortReason = new DOMException(describeFreeze(freeze), "AbortError");
        controller?.abort(abortReason);
      });
      if (!isPolling) {
        isPolling = true;
        void repeat();
      }
    }
    return {
      get signal() {
        if (controller === undefined) {
          controller = new AbortController();
          if (abortReason !== undefined) controller.abort(abortReason);
        }
        return controller.signal;
      },
      [Symbol.dispose]: () => void (query !== undefined && watched.delete(query)),
    };
  };
}
