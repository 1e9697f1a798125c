import type { PlacedEvent } from "./feed.ts";

/** Events that one follower has not taken yet. */
export interface FeedInbox {
  /** Beyond the limit the inbox ends: the follower is too slow, and resumes by the id of the last event that it got. */
  put(event: PlacedEvent): void;
  /** The next event; undefined when the inbox has ended. */
  take(): Promise<PlacedEvent | undefined>;
  end(): void;
}

/**
 * An inbox of at most `maxEvents`. Several hints about one thing are one hint, so that a run with thousands of entries fills it no more than
 * one with a single entry.
 */
export function createFeedInbox(maxEvents: number): FeedInbox {
  const waiting = new Map<string, PlacedEvent>();
  let hasEnded = false;
  let wake: (() => void) | undefined;
  const end = () => {
    hasEnded = true;
    waiting.clear();
    wake?.();
  };
  return {
    put(event) {
      if (hasEnded) return;
      const what = aboutOf(event);
      // The newest place counts, so the hint moves to the end.
      waiting.delete(what);
      waiting.set(what, event);
      if (waiting.size > maxEvents) end();
      else wake?.();
    },
    async take() {
      for (;;) {
        if (hasEnded) return undefined;
        for (const [what, event] of waiting) {
          waiting.delete(what);
          return event;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    end,
  };
}

function aboutOf(event: PlacedEvent): string {
  if (event.event === "run") return `run ${event.data.id}`;
  if (event.event === "freeze") return `freeze ${event.data.scope}`;
  // Of `away` and `ready` the newer one is true; a reset stays to be done whatever follows it.
  return event.event === "reset" ? "reset" : "store";
}
