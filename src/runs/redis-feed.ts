import type { Redis } from "ioredis";
import type { Clock } from "../core/clock.ts";
import { available } from "../platform/redis/available.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { type Feed, isBehind, isPlace, type PlacedEvent } from "./feed.ts";
import { createFeedInbox, type FeedInbox } from "./feed-inbox.ts";

/** Events that a slow follower may have waiting before it is dropped. */
const maxWaiting = 500;
/** Hints that are read again for a follower that resumes; one that missed more reads everything anew. */
const maxMissed = 2000;
const blockMs = 1000;
const retryMs = 500;
const start = "0-0";

/** What the feed works with. */
export interface FeedDeps {
  /** A connection for nothing else: it waits in Redis for the next hint. */
  readonly waiting: Redis;
  readonly redis: Redis;
  readonly clock: Pick<Clock, "sleep">;
  /** Aborted when the process ends. */
  readonly ending: AbortSignal;
}

/** The feed over a stream in Redis. However many follow it, the process reads the stream once; without followers it does not read. */
export function createFeed({ waiting, redis, clock, ending }: FeedDeps): Feed {
  const inboxes = new Set<FeedInbox>();
  let isReading = false;

  const toAll = (event: PlacedEvent) => {
    for (const inbox of inboxes) inbox.put(event);
  };

  async function read(from: string): Promise<void> {
    let place = from;
    let isAway = false;
    while (inboxes.size > 0 && !ending.aborted) {
      try {
        if (isAway) {
          // Both connections must be back, or the next read says again that Redis is away.
          await waiting.ping();
          const missed = await readMissed(redis, place);
          isAway = false;
          for (const event of missed.events) toAll(event);
          place = missed.place;
        }
        for (const event of await readNext(waiting, place)) {
          toAll(event);
          place = event.id;
        }
      } catch {
        if (!isAway) toAll({ id: place, event: "away", data: {} });
        isAway = true;
        await clock.sleep(retryMs, ending).catch(() => undefined);
      }
    }
    isReading = false;
  }

  return {
    async follow(after, signal) {
      const inbox = createFeedInbox(maxWaiting);
      const end = () => {
        inboxes.delete(inbox);
        inbox.end();
      };
      // Hints between the first read and the first wait are not lost: the inbox is there before both.
      inboxes.add(inbox);
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
      try {
        const missed = await available(async () => readMissed(redis, after));
        if (!isReading) {
          isReading = true;
          void read(missed.place);
        }
        return eventsOf(inbox, missed, end);
      } catch (error) {
        end();
        throw error;
      }
    },
  };
}

interface Missed {
  /** Ends with `ready` or `reset`. */
  readonly events: readonly PlacedEvent[];
  /** Place behind which the feed continues. */
  readonly place: string;
}

async function* eventsOf(inbox: FeedInbox, missed: Missed, end: () => void): AsyncGenerator<PlacedEvent> {
  let { place } = missed;
  try {
    yield* missed.events;
    for (let event = await inbox.take(); event !== undefined; event = await inbox.take()) {
      // After a reset places may be smaller: the store may have lost its newest data.
      if (event.event === "reset") place = event.id;
      const isHint = event.event === "run" || event.event === "freeze";
      if (!isHint || isBehind(event.id, place)) yield event;
    }
  } finally {
    end();
  }
}

/** What came behind a place, and where the feed is now. A place that the stream does not reach back to, or has not reached, needs a reset. */
async function readMissed(redis: Redis, after: string | undefined): Promise<Missed> {
  const [oldest] = await redis.xrange(runKeys.feed, "-", "+", "COUNT", 1);
  const [newest] = await redis.xrevrange(runKeys.feed, "+", "-", "COUNT", 1);
  const now = newest?.[0] ?? start;
  if (after === undefined) return { events: [{ id: now, event: "ready", data: {} }], place: now };
  const reset: Missed = { events: [{ id: now, event: "reset", data: {} }], place: now };
  // The first place of an empty stream is behind nothing; afterwards it says only that everything may have been missed.
  const isReached = isPlace(after) && !isBehind(after, now) && (after === now || (oldest !== undefined && !isBehind(oldest[0], after)));
  if (!isReached) return reset;
  const rows = await redis.xrange(runKeys.feed, `(${after}`, "+", "COUNT", maxMissed + 1);
  if (rows.length > maxMissed) return reset;
  const place = rows.at(-1)?.[0] ?? after;
  return { events: [...rows.flatMap(([id, fields]) => eventOf(id, fields)), { id: place, event: "ready", data: {} }], place };
}

async function readNext(waiting: Redis, place: string): Promise<readonly PlacedEvent[]> {
  const replies = await waiting.xread("COUNT", 500, "BLOCK", blockMs, "STREAMS", runKeys.feed, place);
  return (replies ?? []).flatMap(([, rows]) => rows.flatMap(([id, fields]) => eventOf(id, fields)));
}

/** None: a newer version wrote a kind of hint that this one does not send. */
function eventOf(id: string, [, kind, , about = ""]: readonly string[]): readonly PlacedEvent[] {
  if (kind === "run") return [{ id, event: "run", data: { id: about } }];
  return kind === "freeze" ? [{ id, event: "freeze", data: { scope: about } }] : [];
}
