import { render } from "preact";
import { App } from "./app.tsx";
import { createDrafts } from "./drafts.ts";
import { createLiveFeed, createVisibility } from "./live-feed.ts";
import { createBrowserClock } from "./page-clock.ts";
import { createRouter } from "./router.ts";
import { ServicesContext } from "./services.ts";
import { createSession } from "./session.ts";

const root = document.getElementById("console");
if (root === null) throw new Error("The shell has no element with the id console.");

const clock = createBrowserClock();
const fetch = window.fetch.bind(window);
const session = createSession(fetch);
const onSignedOut = () => session.end();
const services = {
  clock,
  session,
  router: createRouter(window),
  requests: { fetch, clock, onSignedOut },
  feed: createLiveFeed({ fetch, clock, onSignedOut, visibility: createVisibility(document) }),
  drafts: createDrafts(),
};

render(
  <ServicesContext.Provider value={services}>
    <App />
  </ServicesContext.Provider>,
  root,
);
