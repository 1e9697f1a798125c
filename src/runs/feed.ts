import type { FeedEvent } from "../../packages/sdk/src/wire/feed.ts";

/** An event with its place in the feed. The place of `ready`, `reset` and `away` is that of the last hint before it. */
export type PlacedEvent = FeedEvent & { readonly id: string };

/** What open pages and terminals follow. */
export interface Feed {
  /**
   * Events behind `after`, or from now on. Ends with the signal, and when the reader is too slow; following again from the last id loses
   * nothing. Rejects with StoreUnavailable when Redis does not answer.
   */
  follow(after: string | undefined, signal: AbortSignal): Promise<AsyncIterable<PlacedEvent>>;
}

const placePattern = /^\d{1,16}-\d{1,16}$/u;

/** Whether a text is a place that a feed could have given out. */
export function isPlace(text: string): boolean {
  return placePattern.test(text);
}

/** Whether one place is behind another one. */
export function isBehind(place: string, other: string): boolean {
  const [ms = 0, count = 0] = place.split("-").map(Number);
  const [otherMs = 0, otherCount = 0] = other.split("-").map(Number);
  return ms > otherMs || (ms === otherMs && count > otherCount);
}
