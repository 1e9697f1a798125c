import type { Clock } from "../../core/clock.ts";
import type { Followers } from "./share-control.ts";

/** A process counts as a follower for this long after it asked, in milliseconds. */
export const followerMaxAgeMs = 60_000;

/** Most processes that are counted of one document. */
export const maxFollowers = 1000;

/** A process asked for a document. */
export interface FollowerSighting {
  /** E.g. `route/implement`. */
  readonly document: string;
  /** As the process names itself; only its hash is kept. */
  readonly instance: string;
  /** Entity tag of what it had when it asked; undefined: nothing yet. */
  readonly tag: string | undefined;
}

/**
 * Which processes follow a served document, and which version each had when it asked last. A process that was given a new version counts as
 * having it once it has asked again. Rejects with StoreUnavailable when the store does not answer.
 */
export interface FollowerBook {
  record(sighting: FollowerSighting): Promise<void>;
  /** Processes that asked for the document within {@link followerMaxAgeMs}; `current` had the version of this entity tag. */
  count(document: string, tag: string): Promise<Followers>;
}

/** The same version of the same process is written again after this long: a third of the time for which it counts. */
const renewAfterMs = followerMaxAgeMs / 3;

/** Sightings that one server remembers; the ones recorded longest ago make room. */
const maxRemembered = 20_000;

/**
 * Writes a sighting only when it says something new, so that processes may ask every few seconds: at most three writes a minute and process
 * while nothing changes. A sighting that could not be written is dropped; the next one of the process is tried again.
 */
export function throttleFollowers(book: FollowerBook, clock: Pick<Clock, "monotonic">): FollowerBook {
  const recorded = new Map<string, { readonly tag: string | undefined; readonly at: number }>();
  return {
    ...book,
    async record(sighting) {
      const { document, instance, tag } = sighting;
      const key = `${instance} ${document}`;
      const last = recorded.get(key);
      const at = clock.monotonic();
      if (last !== undefined && last.tag === tag && at - last.at < renewAfterMs) return;
      recorded.delete(key);
      recorded.set(key, { tag, at });
      const oldest = recorded.keys().next();
      if (recorded.size > maxRemembered && oldest.done !== true) recorded.delete(oldest.value);
      try {
        await book.record(sighting);
      } catch {
        recorded.delete(key);
      }
    },
  };
}
