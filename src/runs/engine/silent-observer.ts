import type { EngineObserver } from "./engine-observer.ts";

/** Reports nothing. */
export const silentObserver: EngineObserver = {
  claimed: () => undefined,
  stepEnded: () => undefined,
  firstEffect: () => undefined,
  refused: () => undefined,
  fenced: () => undefined,
  ended: () => undefined,
};
