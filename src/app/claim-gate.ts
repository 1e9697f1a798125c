import type { StoreGate } from "../core/store-gate.ts";
import type { EventLoopWatch } from "../platform/event-loop-watch.ts";

/** The gate of what claims work: the store is fit, and the event loop is not blocked. */
export function createClaimGate(store: StoreGate, loop: Pick<EventLoopWatch, "isHeld" | "onChange">): StoreGate {
  const isOpen = () => store.isFit() && !loop.isHeld();
  return {
    isFit: isOpen,
    untilFit: async (signal) => store.untilFit(signal),
    onChange(changed) {
      const stops = [store.onChange(() => changed(isOpen())), loop.onChange(() => changed(isOpen()))];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
