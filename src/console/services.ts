import { createContext } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";
import type { Drafts } from "./drafts.ts";
import type { FeedNews, LiveFeed } from "./live-feed.ts";
import type { PageClock } from "./page-clock.ts";
import type { PageKeys } from "./page-keys.ts";
import { createResource, type Reading, type Requests, type Resource } from "./resource.ts";
import type { Router } from "./router.ts";
import type { Session } from "./session.ts";

/** What every page works with. */
export interface Services {
  readonly clock: PageClock;
  readonly router: Router;
  readonly session: Session;
  readonly requests: Requests;
  readonly feed: LiveFeed;
  readonly drafts: Drafts;
  readonly keys: PageKeys;
}

/** Provides {@link Services} to the pages. */
export const ServicesContext = createContext<Services | undefined>(undefined);

/** The services of the page. Throws outside of the page's root. */
export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === undefined) throw new Error("The page is rendered outside of ServicesContext.");
  return services;
}

/** Milliseconds between two reads of what may change, with and without the feed, and the least between two that hints asked for. */
const pausesMs = { live: 15_000, cut: 3000, hints: 400 } as const;

/** Which news ask for another read of an address. */
export type Concern = (news: FeedNews) => boolean;

const everything: Concern = () => true;

/**
 * What is there of an address. It is read when the page opens. While `isOpen` says so it is read again when the feed has news that `concerns`
 * it, every three seconds without the feed, and now and then in any case.
 */
export function useReading<Body>(
  url: string,
  isOpen: (reading: Reading<Body>) => boolean = () => false,
  concerns: Concern = everything,
): Reading<Body> {
  return useResource(url, isOpen, concerns).reading.value;
}

/** As {@link useReading}, with the resource itself, for a page that asks for another read. */
export function useResource<Body>(
  url: string,
  isOpen: (reading: Reading<Body>) => boolean,
  concerns: Concern = everything,
): Resource<Body> {
  const { requests, feed, clock } = useServices();
  const resource = useMemo(() => createResource<Body>(requests, url), [requests, url]);
  useEffect(() => {
    let cancelHinted: (() => void) | undefined;
    let readAt = 0;
    const mayRefresh = () => isOpen(resource.reading.value);
    const pauseMs = () => (feed.state.value.kind === "live" ? pausesMs.live : pausesMs.cut);
    const readNow = () => {
      cancelHinted = undefined;
      readAt = clock.now();
      void resource.refreshAgain().then(() => resource.refreshEvery(pauseMs, mayRefresh));
    };
    const unlisten = feed.listen((news) => {
      const isForAll = news.event !== "run" && news.event !== "freeze";
      if (cancelHinted !== undefined || !mayRefresh() || !(isForAll || concerns(news))) return;
      const waitMs = readAt + pausesMs.hints - clock.now();
      cancelHinted = waitMs <= 0 ? undefined : clock.after(waitMs, readNow);
      if (cancelHinted === undefined) readNow();
    });
    readNow();
    return () => {
      unlisten();
      cancelHinted?.();
      resource.close();
    };
  }, [resource]);
  return resource;
}

/** The time, drawn again every second while `isTicking`. UTC, milliseconds. */
export function useNow(isTicking: boolean): number {
  const { clock } = useServices();
  const [now, setNow] = useState(clock.now());
  useEffect(() => {
    if (!isTicking) return;
    let cancel = clock.after(secondMs, function tick() {
      setNow(clock.now());
      cancel = clock.after(secondMs, tick);
    });
    return () => cancel();
  }, [clock, isTicking]);
  return isTicking ? now : clock.now();
}

const secondMs = 1000;
