import { describe, expect, it } from "@jest/globals";
import { createLiveFeed, type FeedNews } from "./live-feed.ts";

/** A server whose connections the test opens and ends, and a clock that it moves. */
function aServer() {
  const requests: { readonly place: string | null; send(text: string): void; end(): void }[] = [];
  const timers = new Set<{ readonly at: number; readonly task: () => void }>();
  const state = { now: 0, status: 200, isHidden: false, signedOut: 0, showed: () => {} };
  const clock = {
    now: () => state.now,
    after(ms: number, task: () => void) {
      const timer = { at: state.now + ms, task };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  const feed = createLiveFeed({
    clock,
    onSignedOut: () => {
      state.signedOut += 1;
    },
    visibility: {
      isHidden: () => state.isHidden,
      onChange: (listener) => {
        state.showed = listener;
      },
    },
    async fetch(_url, init) {
      const place = new Headers(init?.headers).get("last-event-id");
      let source: ReadableStreamDefaultController<Uint8Array> | undefined;
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void (source = controller) });
      init?.signal?.addEventListener("abort", () => source?.error(new Error("aborted")));
      requests.push({ place, send: (text) => source?.enqueue(new TextEncoder().encode(text)), end: () => source?.close() });
      return new Response(state.status === 200 ? body : null, { status: state.status });
    },
  });
  const news: FeedNews[] = [];
  feed.listen((one) => news.push(one));
  return {
    feed,
    news,
    requests,
    state,
    settle,
    pass: async (ms: number) => {
      state.now += ms;
      for (const timer of [...timers].filter(({ at }) => at <= state.now)) {
        timers.delete(timer);
        timer.task();
      }
      await settle();
    },
  };
}

const ready = "id: 5-0\nevent: ready\ndata: {}\n\n";
const hint = 'id: 6-0\nevent: run\ndata: {"id":"run_1"}\n\n';

describe("the feed of a tab", () => {
  it("is live once the server says so, and passes hints on", async () => {
    const { feed, news, requests, settle } = aServer();
    feed.start();
    await settle();
    expect(feed.state.value.kind).toBe("connecting");
    requests[0]?.send(ready + hint);
    await settle();
    expect(feed.state.value.kind).toBe("live");
    expect(news).toEqual([
      { event: "ready", data: {} },
      { event: "run", data: { id: "run_1" } },
    ]);
  });

  it("says since when it is cut, and resumes behind the last event", async () => {
    const { feed, news, requests, settle, pass } = aServer();
    feed.start();
    await settle();
    requests[0]?.send(ready + hint);
    await settle();
    requests[0]?.end();
    await settle();
    expect(feed.state.value).toEqual({ kind: "cut", since: 0 });
    expect(news.at(-1)).toEqual({ event: "cut" });
    await pass(500);
    expect(requests.map(({ place }) => place)).toEqual([null, "6-0"]);
    requests[1]?.send("id: 6-0\nevent: ready\ndata: {}\n\n");
    await settle();
    expect(feed.state.value.kind).toBe("live");
  });

  it("takes a connection that is silent for 40 s for dead", async () => {
    const { feed, requests, settle, pass } = aServer();
    feed.start();
    await settle();
    requests[0]?.send(ready);
    await settle();
    await pass(39_000);
    expect(feed.state.value.kind).toBe("live");
    await pass(1001);
    expect(feed.state.value.kind).toBe("cut");
  });

  it("keeps no connection while the tab is hidden, and resumes at once when it is shown", async () => {
    const { feed, requests, state, settle, pass } = aServer();
    feed.start();
    await settle();
    requests[0]?.send(ready);
    await settle();
    state.isHidden = true;
    requests[0]?.send(": keep-alive\n\n");
    await settle();
    await pass(60_000);
    expect(requests).toHaveLength(1);
    expect(feed.state.value.kind).toBe("live");
    state.isHidden = false;
    state.showed();
    await settle();
    expect(requests[1]?.place).toBe("5-0");
  });

  it("ends with its session, and asks from anew after a place that the server does not have", async () => {
    const { feed, requests, state, settle, pass } = aServer();
    state.status = 400;
    feed.start();
    await settle();
    state.status = 401;
    await pass(1000);
    expect(state.signedOut).toBe(1);
    feed.stop();
    await pass(60_000);
    expect(requests).toHaveLength(2);
  });

  it("says that the store is away until the server says otherwise", async () => {
    const { feed, requests, settle } = aServer();
    feed.start();
    await settle();
    requests[0]?.send(`${ready}id: 5-0\nevent: away\ndata: {}\n\n`);
    await settle();
    expect(feed.state.value.kind).toBe("away");
    requests[0]?.send(ready);
    await settle();
    expect(feed.state.value.kind).toBe("live");
  });
});
