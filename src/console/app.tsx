import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useErrorBoundary, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icons.tsx";
import { KeyList } from "./key-list.tsx";
import { LiveMark } from "./live-mark.tsx";
import { visibleText } from "./page-format.ts";
import { DoctorPage, MissingPage } from "./pages/missing-page.tsx";
import { SignIn } from "./pages/sign-in.tsx";
import { Loading, TroubleBanner } from "./pieces.tsx";
import type { Place } from "./router.ts";
import { useServices } from "./services.ts";

/** The console: its frame around the page of the address, or the sign-in. */
export function App() {
  const { session, router, clock, feed, drafts, keys } = useServices();
  const state = session.state.value;
  useEffect(() => void session.load(), [session]);
  useEffect(() => (state.kind === "signed_in" ? keys.listen(document) : undefined), [state.kind]);
  useEffect(() => (state.kind === "away" ? clock.after(retryMs, () => void session.load()) : undefined), [state]);
  useEffect(() => {
    if (state.kind === "signed_in") {
      drafts.keepFor(state.name);
      feed.start();
    } else if (state.kind === "signed_out") feed.stop();
  }, [state]);
  if (state.kind === "signed_out") return <SignIn />;
  const place = router.place.value;
  return (
    <Frame place={place} reader={state.kind === "signed_in" ? state : undefined}>
      {state.kind === "unknown" ? <Loading what="the session" /> : null}
      {state.kind === "away" ? (
        <>
          <h1>runbookd</h1>
          <TroubleBanner trouble={{ detail: state.detail }} />
        </>
      ) : null}
      {state.kind === "signed_in" ? <Page place={place} /> : null}
    </Frame>
  );
}

const retryMs = 3000;

function Page({ place }: { readonly place: Place }) {
  const [fault, reset] = useErrorBoundary();
  useEffect(() => reset(), [place]);
  if (fault !== undefined) {
    return (
      <>
        <h1>This page cannot be shown</h1>
        <p>
          Its data do not fit the page. <code>runbookd runs show</code> and the JSON of the API show them.
        </p>
      </>
    );
  }
  switch (place.page) {
    case "now":
      return <Later key="now" load={async () => (await import("./pages/now-page.tsx")).NowPage} with={{}} />;
    case "runs":
      return <Later key="runs" load={async () => (await import("./pages/runs-page.tsx")).RunsPage} with={{ filter: place.filter }} />;
    case "approvals":
      return (
        <Later
          key="approvals"
          load={async () => (await import("./pages/approvals-page.tsx")).ApprovalsPage}
          with={{ filter: place.filter }}
        />
      );
    case "alerts":
      return <Later key="alerts" load={async () => (await import("./pages/alerts-page.tsx")).AlertsPage} with={{ filter: place.filter }} />;
    case "run":
      return <Later key={`run ${place.id}`} load={async () => (await import("./pages/run-page.tsx")).RunPage} with={{ id: place.id }} />;
    case "runbooks":
      return <Later key="runbooks" load={async () => (await import("./pages/runbooks-page.tsx")).RunbooksPage} with={{}} />;
    case "runbook":
      return (
        <Later
          key={`runbook ${place.id}`}
          load={async () => (await import("./pages/runbook-page.tsx")).RunbookPage}
          with={{ id: place.id }}
        />
      );
    case "question":
      return (
        <Later
          key={`question ${place.id}`}
          load={async () => (await import("./pages/question-page.tsx")).QuestionPage}
          with={{ id: place.id }}
        />
      );
    case "doctor":
      return <DoctorPage />;
    case "missing":
      return <MissingPage path={place.path} />;
  }
}

/** A page whose script is loaded when it is opened. */
function Later<Props extends object>(props: { readonly load: () => Promise<ComponentType<Props>>; readonly with: Props }) {
  const [page, setPage] = useState<{ readonly Loaded: ComponentType<Props> } | "away">();
  useEffect(() => {
    let isOver = false;
    props.load().then(
      (Loaded) => (isOver ? undefined : setPage({ Loaded })),
      () => (isOver ? undefined : setPage("away")),
    );
    return () => {
      isOver = true;
    };
  }, []);
  if (page === undefined) return <Loading what="the page" />;
  if (page === "away")
    return <TroubleBanner trouble={{ status: 404, detail: "This page could not be loaded. Reload to get the newest version." }} />;
  return <page.Loaded {...props.with} />;
}

const links: readonly {
  readonly href: string;
  readonly text: string;
  readonly icon: IconName;
  readonly pages: readonly Place["page"][];
}[] = [
  { href: "/", text: "Now", icon: "pulse", pages: ["now"] },
  { href: "/runs", text: "Runs", icon: "run", pages: ["runs", "run"] },
  { href: "/approvals", text: "Approvals", icon: "shield", pages: ["approvals", "question"] },
  { href: "/alerts", text: "Alerts", icon: "bell", pages: ["alerts"] },
  { href: "/runbooks", text: "Runbooks", icon: "book", pages: ["runbooks", "runbook"] },
];

/** Who is signed in. */
export interface Reader {
  readonly name: string;
  readonly role: string;
}

/** Navigation, the way back, and the page. */
export function Frame(props: { readonly place: Place; readonly reader: Reader | undefined; readonly children: ComponentChildren }) {
  const { place, reader, children } = props;
  const main = useRef<HTMLElement>(null);
  const wasOpened = useRef(false);
  useEffect(() => {
    // A screen reader continues at the new page; the first page is where it begins anyway.
    if (wasOpened.current) main.current?.focus({ preventScroll: true });
    wasOpened.current = true;
  }, [place]);
  const items = links.map(({ href, text, icon, pages }) => (
    <li>
      <a href={href} aria-current={pages.includes(place.page) ? "page" : undefined}>
        <Icon name={icon} />
        {text}
      </a>
    </li>
  ));
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <div class="frame">
        <header class="side">
          <a class="brand" href="/">
            <Icon name="mark" />
            runbookd
          </a>
          <nav aria-label="Console">
            <ul>{items}</ul>
          </nav>
          {reader === undefined ? null : <Who reader={reader} />}
        </header>
        <main class="page" id="main" tabIndex={-1} ref={main}>
          <LiveMark />
          {children}
        </main>
      </div>
      <KeyList keys={useServices().keys} />
    </>
  );
}

function Who({ reader: { name, role } }: { readonly reader: Reader }) {
  const { session, keys } = useServices();
  return (
    <div class="who">
      <p>
        <b>{visibleText(name, 60)}</b>, {visibleText(role, 30)}
      </p>
      <button
        class="button bare keys-button"
        type="button"
        onClick={() => {
          keys.isListed.value = true;
        }}
      >
        <kbd>?</kbd>
        Keys
      </button>
      <button class="button bare" type="button" onClick={() => void session.signOut()}>
        <Icon name="leave" />
        Sign out
      </button>
    </div>
  );
}
