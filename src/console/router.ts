import { type ReadonlySignal, signal } from "@preact/signals";

/** What an address shows. */
export type Place =
  | { readonly page: "now" }
  | { readonly page: "runs" | "approvals" | "alerts"; readonly filter: Filter }
  | { readonly page: "run"; readonly id: string }
  | { readonly page: "runbooks" }
  | { readonly page: "runbook"; readonly id: string }
  | { readonly page: "question"; readonly id: string }
  | { readonly page: "doctor" }
  | { readonly page: "missing"; readonly path: string };

/** Filters of a list, as they are in the address. */
export type Filter = Readonly<Record<string, string>>;

/** Names of the filters of each list; `cursor` is the page of the list, so that the browser's back button leads to the one before. */
const filterNames = {
  runs: ["state", "outcome", "runbook", "target", "alert", "since", "cursor"],
  alerts: ["decision", "alert", "runbook", "fingerprint", "since", "cursor"],
  approvals: ["state", "cursor"],
} as const;

function isList(folder: string): folder is keyof typeof filterNames {
  return Object.hasOwn(filterNames, folder);
}

/** The place that a path and its query name. A path that is not decodable is missing. */
export function placeOf(path: string, query = ""): Place {
  const parts = decoded(path);
  const [folder, id, ...more] = parts ?? [];
  if (parts === undefined || more.length > 0) return { page: "missing", path };
  if (folder === undefined) return { page: "now" };
  if (id === undefined) {
    if (isList(folder)) return { page: folder, filter: filterOf(filterNames[folder], query) };
    if (folder === "runbooks" || folder === "doctor") return { page: folder };
    return { page: "missing", path };
  }
  if (folder === "runs") return { page: "run", id };
  if (folder === "runbooks") return { page: "runbook", id };
  if (folder === "questions") return { page: "question", id };
  return { page: "missing", path };
}

function decoded(path: string): readonly string[] | undefined {
  try {
    return path
      .split("/")
      .filter((part) => part !== "")
      .map((part) => decodeURIComponent(part));
  } catch {
    return undefined;
  }
}

function filterOf(names: readonly string[], query: string): Filter {
  const fields = new URLSearchParams(query);
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = fields.get(name);
      return value === null || value === "" ? [] : [[name, value]];
    }),
  );
}

/** The query of a filter, with its question mark; empty without a filter. */
export function queryOf(filter: Filter): string {
  const fields = new URLSearchParams(filter);
  return fields.size === 0 ? "" : `?${fields.toString()}`;
}

/** The address of a run, at one of its steps when there is a number. */
export function runPath(id: string, step?: number): string {
  return `/runs/${encodeURIComponent(id)}${step === undefined ? "" : `#step-${step}`}`;
}

/** Where the reader is, and how the reader goes elsewhere. */
export interface Router {
  readonly place: ReadonlySignal<Place>;
  go(href: string): void;
}

/** Follows the address bar, and turns clicks on links of the console into changes of the page without loading it again. */
export function createRouter(view: Window): Router {
  const current = () => placeOf(view.location.pathname, view.location.search);
  const place = signal(current());
  const update = () => {
    place.value = current();
  };
  const go = (href: string) => {
    view.history.pushState(null, "", href);
    view.scrollTo(0, 0);
    update();
  };
  view.addEventListener("popstate", update);
  view.document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || isForBrowser(event, link)) return;
    const url = new URL(link.href, view.location.href);
    const isHere = url.pathname === view.location.pathname && url.search === view.location.search;
    if (url.origin !== view.location.origin || url.pathname.startsWith("/api/") || (isHere && url.hash !== "")) return;
    event.preventDefault();
    go(`${url.pathname}${url.search}${url.hash}`);
  });
  return { place, go };
}

/** A click that opens a tab, saves a file or was handled already is the browser's. */
function isForBrowser(event: MouseEvent, link: HTMLAnchorElement): boolean {
  const hasModifier = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  return event.defaultPrevented || event.button !== 0 || hasModifier || link.target !== "" || link.hasAttribute("download");
}
