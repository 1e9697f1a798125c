import { type FeedEvent, feedEventSchema } from "../../packages/sdk/src/wire/feed.ts";
import type { AddressedServer } from "./api-client.ts";
import type { CommandContext } from "./context.ts";

/** What a follower hears: a hint, or whether it hears hints at all. */
export type FeedNews = FeedEvent | { readonly event: "cut" };

/** The feed of a running runbookd, connected again whenever it is cut. */
export interface FollowedFeed {
  /** The next news; undefined when none came within this time, or when a person interrupted the program. */
  next(withinMs: number): Promise<FeedNews | undefined>;
  stop(): void;
}

const retryMs = 1000;
/** The server sends something every 15 s. */
const silenceMs = 40_000;
/** Hints beyond these say the same as a reset: read everything anew. */
const maxWaiting = 500;
const maxEvent = 65_536;

/** Follows the feed until `stop`. A server that refuses the feed is asked again like one that is away: reads say what is wrong. */
export function followFeed({ base, token }: AddressedServer, context: CommandContext): FollowedFeed {
  const { clock, signal } = context;
  const ended = new AbortController();
  const over = AbortSignal.any([signal, ended.signal]);
  const waiting = new Map<string, FeedNews>();
  let wake = () => {};
  let place = "";

  const put = (news: FeedNews) => {
    const isFull = waiting.size >= maxWaiting;
    if (isFull) waiting.clear();
    const next: FeedNews = isFull ? { event: "reset", data: {} } : news;
    waiting.set(next.event === "run" ? `run ${next.data.id}` : next.event, next);
    wake();
  };

  async function connect(): Promise<void> {
    const url = new URL("/api/feed", base);
    const silent = new AbortController();
    let timer = clock.after(silenceMs, () => silent.abort());
    try {
      const response = await context.fetch(url, {
        redirect: "error",
        signal: AbortSignal.any([over, silent.signal]),
        headers: {
          accept: "text/event-stream",
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(place !== "" && { "last-event-id": place }),
        },
      });
      if (response.status === 400) place = "";
      if (!response.ok || response.body === null) return;
      const decoder = new TextDecoder();
      let open = "";
      for await (const piece of response.body) {
        timer.stop();
        timer = clock.after(silenceMs, () => silent.abort());
        const blocks = (open + decoder.decode(piece, { stream: true })).split("\n\n");
        open = blocks.pop() ?? "";
        if (open.length > maxEvent) return;
        for (const block of blocks) receive(block);
      }
    } catch {
      // What is cut is connected again.
    } finally {
      timer.stop();
      silent.abort();
    }
  }

  const receive = (block: string) => {
    const fieldOf = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
    place = fieldOf("id") ?? place;
    const event = feedEventSchema.safeParse({ event: fieldOf("event"), data: parsed(fieldOf("data")) });
    if (event.success) put(event.data);
  };

  const following = (async () => {
    while (!over.aborted) {
      await connect();
      if (over.aborted) return;
      put({ event: "cut" });
      await clock.sleep(retryMs, over).catch(() => undefined);
    }
  })();
  following.catch(() => undefined);

  return {
    async next(withinMs) {
      const [first] = waiting;
      if (first === undefined) {
        const woken = new AbortController();
        wake = () => woken.abort();
        await clock.sleep(withinMs, AbortSignal.any([over, woken.signal])).catch(() => undefined);
        wake = () => {};
      }
      for (const [what, news] of waiting) {
        waiting.delete(what);
        return news;
      }
      return undefined;
    },
    stop: () => ended.abort(),
  };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
