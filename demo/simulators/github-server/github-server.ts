import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, createSystemClock } from "../../../src/core/clock.ts";
import { serveLoopback } from "../serve-loopback.ts";
import { type AlertKind, alertKinds, anAlert, eventNames, type GitHubAlert } from "./github-alerts.ts";
import { createGitHubDeliveries, type GitHubDeliveries, type GitHubWebhook } from "./github-deliveries.ts";
import { type GitHubQuirks, noGitHubQuirks } from "./github-quirks.ts";

/** A repository at the server. */
export interface GitHubRepositoryOptions {
  /** `owner/name`; the API takes it in any case. */
  readonly name: string;
  readonly private: boolean;
}

/** Everything has a default but the repositories. */
export interface GitHubServerOptions {
  /** 0, the default, takes any free one. */
  readonly port?: number;
  /** The only token that is let in. */
  readonly token?: string;
  readonly webhook?: GitHubWebhook;
  readonly repositories: readonly GitHubRepositoryOptions[];
  readonly clock?: Pick<Clock, "now">;
  /** Below this path, as at a GitHub Enterprise Server; `/` by default. */
  readonly basePath?: string;
  /** Most alerts on one page, whatever is asked for; 100 by default. */
  readonly maxPerPage?: number;
}

/** A request that was answered. */
export interface GitHubRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly status: number;
}

/** A GitHub on loopback. Disposing it ends every connection. */
export interface GitHubServer extends AsyncDisposable {
  /** Address of the API, without a slash at the end. */
  readonly url: string;
  readonly quirks: GitHubQuirks;
  readonly requests: readonly GitHubRequest[];
  readonly deliveries: GitHubDeliveries;
  /** Opens an alert and sends its event; answers its number. `members` replace those of a usual alert. */
  open(kind: AlertKind, members?: GitHubAlert): Promise<number>;
  /** Changes members of an alert, and sends the event of this action. */
  change(kind: AlertKind, change: { readonly number: number; readonly action: string; readonly members: GitHubAlert }): Promise<void>;
  /** Removes an alert without a word. */
  remove(kind: AlertKind, number: number): void;
}

interface Repository extends GitHubRepositoryOptions {
  readonly alerts: Readonly<Record<AlertKind, GitHubAlert[]>>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Route {
  readonly method: string;
  /** Its groups are given to the handler. */
  readonly path: RegExp;
  handle(groups: readonly string[], url: URL): Answer;
}

const notFound: Answer = { status: 404, body: { message: "Not Found", documentation_url: "https://docs.github.com/rest" } };

/**
 * Starts a server that speaks the part of GitHub's REST API which lists security alerts, and that sends their events. Alerts of all kinds belong to the first
 * repository. What real servers do badly is behind `quirks`.
 */
export async function startGitHub(options: GitHubServerOptions): Promise<GitHubServer> {
  const { token = "github_pat_of_a_test", clock = createSystemClock(), basePath = "", maxPerPage = 100 } = options;
  const quirks = noGitHubQuirks();
  const requests: GitHubRequest[] = [];
  const deliveries = createGitHubDeliveries(options.webhook, quirks);
  const repositories = options.repositories.map(
    (repository): Repository => ({
      ...repository,
      alerts: { "code-scanning": [], "secret-scanning": [], dependabot: [], "security-advisories": [] },
    }),
  );
  const [first] = repositories;
  if (first === undefined) throw new Error("A GitHub without a repository has nothing to show.");
  const now = () => new Date(Math.floor(clock.now() / 1000) * 1000).toISOString().replace(".000Z", "Z");
  const find = (name: string) => repositories.find((repository) => repository.name.toLowerCase() === name.toLowerCase());

  const routes: readonly Route[] = [
    {
      method: "GET",
      path: /^\/repos\/([^/]+\/[^/]+)$/,
      handle([name = ""]) {
        const repository = find(name);
        return repository === undefined
          ? notFound
          : { status: 200, body: { full_name: repository.name, private: repository.private, default_branch: "main" } };
      },
    },
    {
      method: "GET",
      path: /^\/repos\/([^/]+\/[^/]+)\/(code-scanning|secret-scanning|dependabot)\/alerts$/,
      handle: ([name = "", kind = ""], url) => list(find(name), kindOf(kind), url),
    },
    {
      method: "GET",
      path: /^\/repos\/([^/]+\/[^/]+)\/security-advisories$/,
      handle: ([name = ""], url) => list(find(name), "security-advisories", url),
    },
  ];

  function list(repository: Repository | undefined, kind: AlertKind | undefined, url: URL): Answer {
    if (repository === undefined || kind === undefined) return notFound;
    if (kind === "secret-scanning" && quirks.secretScanningDisabled)
      return { status: 404, body: { message: "Secret scanning is disabled on this repository." } };
    if (kind === "code-scanning" && quirks.codeScanning === "forbidden")
      return { status: 403, body: { message: "Code Security must be enabled for this repository to use code scanning." } };
    if (kind === "code-scanning" && quirks.codeScanning === "unavailable")
      return { status: 503, body: { code: "503", message: "Service unavailable" } };
    if (kind === "dependabot" && url.searchParams.has("page"))
      return { status: 400, body: { message: "Pagination using the `page` parameter is not supported." } };
    const shown = sorted(repository.alerts[kind], url).map((alert) => shownAs(kind, alert, url));
    return page(shown, { kind, url });
  }

  function shownAs(kind: AlertKind, alert: GitHubAlert, url: URL): GitHubAlert {
    if (kind === "code-scanning" && quirks.nullSecuritySeverity)
      return { ...alert, rule: { ...Object(alert["rule"]), security_severity_level: null } };
    const hides = kind === "secret-scanning" && url.searchParams.get("hide_secret") === "true" && !quirks.secretsAlwaysShown;
    return hides ? { ...alert, secret: null } : alert;
  }

  /** By page number, or by cursor where the real API knows no other. */
  function page(alerts: readonly GitHubAlert[], { kind, url }: { readonly kind: AlertKind; readonly url: URL }): Answer {
    const size = Math.min(Number(url.searchParams.get("per_page") ?? 30), maxPerPage);
    const byCursor = kind === "dependabot" || kind === "security-advisories";
    const after = url.searchParams.get("after");
    const number = Number(url.searchParams.get("page") ?? 1);
    const from = byCursor ? alerts.findIndex((alert) => cursorOf(alert) === after) + 1 : (number - 1) * size;
    const items = alerts.slice(from, from + size);
    const last = items.at(-1);
    const body = from === 0 ? [...quirks.oddAlerts, ...items] : items;
    if (last === undefined || from + size >= alerts.length) return { status: 200, body };
    const next = new URL(`${quirks.nextPageAt ?? base()}${url.pathname}${url.search}`);
    if (byCursor) next.searchParams.set("after", cursorOf(last));
    else next.searchParams.set("page", String(number + 1));
    return { status: 200, body, headers: { link: `<${next.href}>; rel="next"` } };
  }

  function answer(request: IncomingMessage, url: URL): Answer {
    if (quirks.proxyPage) return { status: 200, body: "<html>Sign in</html>", headers: { "content-type": "text/html" } };
    if (request.headers.authorization !== `Bearer ${token}`) return { status: 401, body: { message: "Bad credentials" } };
    if (quirks.movedTo !== undefined)
      return {
        status: 301,
        body: { message: "Moved Permanently" },
        headers: { location: `${quirks.movedTo}${url.pathname}${url.search}` },
      };
    if (quirks.secondaryLimit !== undefined) {
      const { retryAfterS } = quirks.secondaryLimit;
      const message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
      return { status: 403, body: { message }, headers: retryAfterS === undefined ? {} : { "retry-after": String(retryAfterS) } };
    }
    if (quirks.primaryLimitUntilS !== undefined)
      return {
        status: 403,
        body: { message: "API rate limit exceeded for user ID 1." },
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(quirks.primaryLimitUntilS) },
      };
    for (const route of routes) {
      const match = route.method === request.method ? route.path.exec(url.pathname) : null;
      if (match !== null) return route.handle(match.slice(1), url);
    }
    return notFound;
  }

  const server = await serveLoopback((request, response) => {
    request.resume();
    const path = request.url ?? "/";
    const isBelow = path.startsWith(`${basePath}/`);
    const url = new URL(isBelow ? path.slice(basePath.length) : "/nothing", "http://github.invalid");
    const sent = send(response, answer(request, url), request.headers["if-none-match"]);
    requests.push({ method: request.method ?? "GET", path, headers: request.headers, status: sent });
  }, options.port);
  function base(): string {
    return `${server.url}${basePath}`;
  }

  const event = async (kind: AlertKind, action: string, alert: GitHubAlert): Promise<void> => {
    const { secret: _neverSent, ...rest } = alert;
    const { updated_at: _time, state: _state, ...bare } = rest;
    const member = kind === "security-advisories" ? "repository_advisory" : "alert";
    await deliveries.send(eventNames[kind], {
      action,
      [member]: quirks.eventsWithoutTimes ? bare : rest,
      repository: { full_name: first.name, private: first.private },
      sender: { login: "github" },
    });
  };

  return {
    url: base(),
    quirks,
    requests,
    deliveries,
    async open(kind, members = {}) {
      const alerts = first.alerts[kind];
      const number = 1 + Math.max(0, ...alerts.map((alert) => Number(alert["number"])));
      const alert = { ...anAlert(kind, { number, repository: first.name, at: now() }), ...members };
      alerts.push(alert);
      await event(kind, kind === "security-advisories" ? "reported" : "created", alert);
      return number;
    },
    async change(kind, { number, action, members }) {
      const alerts = first.alerts[kind];
      const at = alerts.findIndex((alert) => alert["number"] === number);
      const before = alerts[at];
      if (before === undefined) throw new Error(`There is no alert ${number}.`);
      const alert = { ...before, updated_at: now(), ...members };
      alerts[at] = alert;
      await event(kind, action, alert);
    },
    remove(kind, number) {
      const alerts = first.alerts[kind];
      alerts.splice(0, alerts.length, ...alerts.filter((alert) => alert["number"] !== number));
    },
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  };
}

function kindOf(text: string): AlertKind | undefined {
  return alertKinds.find((kind) => kind === text);
}

function sorted(alerts: readonly GitHubAlert[], url: URL): readonly GitHubAlert[] {
  const member = url.searchParams.get("sort") === "updated" ? "updated_at" : "created_at";
  const key = (alert: GitHubAlert) => `${String(alert[member])} ${String(alert["number"]).padStart(9, "0")}`;
  const ascending = alerts.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  return url.searchParams.get("direction") === "asc" ? ascending : ascending.toReversed();
}

function cursorOf(alert: GitHubAlert): string {
  return Buffer.from(`cursor:${String(alert["number"])}`).toString("base64url");
}

/** Answers with an entity tag of the content, or 304 when the client has it. */
function send(response: ServerResponse, { status, body, headers = {} }: Answer, ifNoneMatch: string | undefined): number {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const etag = `W/"${createHash("sha256").update(text).digest("hex")}"`;
  const isUnchanged = status === 200 && ifNoneMatch === etag;
  const sent = isUnchanged ? 304 : status;
  response.writeHead(sent, { "content-type": "application/json; charset=utf-8", ...(status === 200 && { etag }), ...headers });
  response.end(isUnchanged ? undefined : text);
  return sent;
}
