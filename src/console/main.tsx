import { render } from "preact";
import { App } from "./app.tsx";
import { createDrafts } from "./drafts.ts";
import { createLiveFeed, createVisibility } from "./live-feed.ts";
import { createBrowserClock } from "./page-clock.ts";
import { createPageKeys, type KeyMemory } from "./page-keys.ts";
import { createRouter } from "./router.ts";
import { ServicesContext } from "./services.ts";
import { createSession } from "./session.ts";

const root = document.getElementById("console");
if (root === null) throw new Error("The shell has no element with the id console.");

const clock = createBrowserClock();
const fetch = window.fetch.bind(window);
const session = createSession(fetch);
const onSignedOut = () => session.end();
const router = createRouter(window);
const services = {
  clock,
  session,
  router,
  requests: { fetch, clock, onSignedOut },
  feed: createLiveFeed({ fetch, clock, onSignedOut, visibility: createVisibility(document) }),
  drafts: createDrafts(),
  keys: createPageKeys(memoryOf(window), (href) => router.go(href)),
};

render(
  <ServicesContext.Provider value={services}>
    <App />
  </ServicesContext.Provider>,
  root,
);

/** A browser that keeps nothing throws when it is asked. */
function memoryOf(view: Window): KeyMemory {
  try {
    return view.localStorage;
  } catch {
    return null;
  }
}
