import { type ReadonlySignal, signal } from "@preact/signals";
import type { FeedEvent } from "../../packages/sdk/src/wire/feed.ts";
import { createEventReader, type ReceivedEvent } from "./event-text.ts";
import type { PageClock } from "./page-clock.ts";

/** Whether changes reach the page as they happen. */
export type FeedState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** `since`: when the last byte came; UTC, milliseconds. */
  | { readonly kind: "cut"; readonly since: number }
  /** The server is there, and its store is not. */
  | { readonly kind: "away"; readonly since: number };

/** What a listener hears: a hint, or `cut`, after which it should look for itself. */
export type FeedNews = FeedEvent | { readonly event: "cut" };

/** The feed of this tab. */
export interface LiveFeed {
  readonly state: ReadonlySignal<FeedState>;
  /** The result ends it. */
  listen(listener: (news: FeedNews) => void): () => void;
  /** Connects, and connects again until `stop`. */
  start(): void;
  stop(): void;
}

/** What the feed works with. */
export interface FeedDeps {
  readonly fetch: typeof fetch;
  readonly clock: PageClock;
  /** Called when the server says that there is no session. */
  readonly onSignedOut: () => void;
  readonly visibility: Visibility;
}

/** Whether the reader looks at this tab. A browser has six connections to a server, so a tab in the background keeps none. */
export interface Visibility {
  isHidden(): boolean;
  onChange(listener: () => void): void;
}

/** The visibility of a document. */
export function createVisibility(document: Document): Visibility {
  return {
    isHidden: () => document.hidden,
    onChange: (listener) => document.addEventListener("visibilitychange", listener),
  };
}

/** The server sends something every 15 s; a connection that is silent for longer than this is dead. */
const silenceMs = 40_000;
const retryMs = [500, 1000, 2000, 4000] as const;
const hiddenMs = 5000;

/** Creates the feed; nothing is asked yet. */
export function createLiveFeed({ fetch, clock, onSignedOut, visibility }: FeedDeps): LiveFeed {
  const state = signal<FeedState>({ kind: "connecting" });
  const listeners = new Set<(news: FeedNews) => void>();
  let place = "";
  let ended: AbortController | undefined;
  let wake = () => {};

  const publish = (news: FeedNews) => {
    for (const listener of listeners) listener(news);
  };

  const receive = ({ id, event, data }: ReceivedEvent) => {
    place = id === "" ? place : id;
    const news = newsOf(event, data);
    if (news === undefined) return;
    if (news.event === "away") state.value = { kind: "away", since: clock.now() };
    else if (state.value.kind !== "live" && news.event !== "run" && news.event !== "freeze") state.value = { kind: "live" };
    publish(news);
  };

  /** Reads one connection until it ends. True: it was established. */
  async function connect(signal: AbortSignal): Promise<boolean> {
    const silent = new AbortController();
    let cancel = clock.after(silenceMs, () => silent.abort());
    const headers = { accept: "text/event-stream", ...(place !== "" && { "last-event-id": place }) };
    try {
      const response = await fetch("/api/feed", { headers, credentials: "same-origin", signal: AbortSignal.any([signal, silent.signal]) });
      if (response.status === 401) onSignedOut();
      // A place of another store: the next connection begins anew.
      if (response.status === 400) place = "";
      if (!response.ok || response.body === null) return false;
      const read = createEventReader();
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        cancel();
        cancel = clock.after(silenceMs, () => silent.abort());
        for (const event of read(decoder.decode(piece.value, { stream: true }))) receive(event);
        if (visibility.isHidden()) return true;
      }
      return true;
    } catch {
      return false;
    } finally {
      cancel();
      silent.abort();
    }
  }

  async function follow(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const isEstablished = visibility.isHidden() || (await connect(signal));
      if (signal.aborted) return;
      failures = isEstablished ? 0 : failures + 1;
      const isHidden = visibility.isHidden();
      if (!isHidden && state.value.kind !== "cut") {
        state.value = { kind: "cut", since: clock.now() };
        publish({ event: "cut" });
      }
      await pause(isHidden ? hiddenMs : (retryMs[failures] ?? 5000), signal);
    }
  }

  function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve;
      const cancel = clock.after(ms, resolve);
      signal.addEventListener(
        "abort",
        () => {
          cancel();
          resolve();
        },
        { once: true },
      );
    });
  }

  visibility.onChange(() => wake());

  return {
    state,
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start() {
      if (ended !== undefined) return;
      ended = new AbortController();
      void follow(ended.signal);
    },
    stop() {
      ended?.abort();
      ended = undefined;
      place = "";
      state.value = { kind: "connecting" };
    },
  };
}

/** Undefined: a newer server sends a kind that this page does not have. */
function newsOf(event: string, text: string): FeedNews | undefined {
  const data = fieldsOf(text);
  if (event === "run" && typeof data["id"] === "string") return { event, data: { id: data["id"] } };
  if (event === "freeze" && typeof data["scope"] === "string") return { event, data: { scope: data["scope"] } };
  return event === "ready" || event === "reset" || event === "away" ? { event, data: {} } : undefined;
}

function fieldsOf(text: string): { readonly [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
