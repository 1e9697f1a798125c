import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, createSystemClock } from "../../../src/core/clock.ts";
import { serveLoopback } from "../serve-loopback.ts";
import { type AlertKind, alertKinds, anAlert, eventNames, type GitHubAlert } from "./github-alerts.ts";
import { createGitHubDeliveries, type GitHubDeliveries, type GitHubWebhook } from "./github-deliveries.ts";
import { type GitHubGit, openGitHubGit } from "./github-git.ts";
import { createGitHubPulls, type GitHubPulls } from "./github-pulls.ts";
import { type GitHubQuirks, noGitHubQuirks } from "./github-quirks.ts";
import { type GitHubAnswer, type GitHubRoute, gitHubNotFound } from "./github-route.ts";
import { createGitHubWorkflows, type GitHubWorkflow, type GitHubWorkflows } from "./github-workflows.ts";

/** A repository at the server. */
export interface GitHubRepositoryOptions {
  /** `owner/name`; the API takes it in any case. */
  readonly name: string;
  readonly private: boolean;
  /** Folder of the bare repository with its code; without one it has no pull requests, issues and workflows. */
  readonly path?: string;
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
  /** What runners do, by the file of the workflow. */
  readonly workflows?: Readonly<Record<string, GitHubWorkflow>>;
  /** Whether an analysis of this commit still finds the alert; by default every analysis finds every alert. */
  readonly stillFound?: (alert: GitHubAlert, sha: string) => boolean;
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
  /** Analyzes the base branch: code scanning alerts that are not found any more are fixed, and their events are sent. */
  analyze(): Promise<void>;
  readonly pulls: Omit<GitHubPulls, "routes">;
  readonly workflows: Omit<GitHubWorkflows, "routes">;
}

interface Repository extends GitHubRepositoryOptions {
  readonly alerts: Readonly<Record<AlertKind, GitHubAlert[]>>;
}

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
  const repository = first;
  const now = () => new Date(Math.floor(clock.now() / 1000) * 1000).toISOString().replace(".000Z", "Z");
  const find = (name: string) => repositories.find((repository) => repository.name.toLowerCase() === name.toLowerCase());

  const code = new Map(
    repositories.flatMap(({ name, path }): [string, { readonly name: string; readonly git: GitHubGit }][] =>
      path === undefined ? [] : [[name, { name, git: openGitHubGit(path) }]],
    ),
  );
  const codeOptions = {
    find: (name: string) => code.get(find(name)?.name ?? ""),
    quirks,
    base,
    now,
    pushed: () => {
      if (!quirks.fixedOnlyAfterAnalysis) void analyze();
    },
  };
  const pulls = createGitHubPulls(codeOptions);
  const workflows = createGitHubWorkflows(codeOptions, options.workflows ?? {});

  const routes: readonly GitHubRoute[] = [
    {
      method: "GET",
      path: /^\/repos\/([^/]+\/[^/]+)$/,
      handle([name = ""]) {
        const repository = find(name);
        return repository === undefined ? gitHubNotFound : { status: 200, body: describe(repository) };
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
    ...pulls.routes,
    ...workflows.routes,
  ];

  function describe({ name, private: isPrivate }: Repository): object {
    const methods = quirks.mergeCommitsForbidden ? { allow_merge_commit: false, allow_squash_merge: true } : {};
    return { full_name: name, private: isPrivate, default_branch: "main", ...methods };
  }

  function list(repository: Repository | undefined, kind: AlertKind | undefined, url: URL): GitHubAnswer {
    if (repository === undefined || kind === undefined) return gitHubNotFound;
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
  function page(alerts: readonly GitHubAlert[], { kind, url }: { readonly kind: AlertKind; readonly url: URL }): GitHubAnswer {
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

  function answer(request: IncomingMessage, url: URL, sent: string): GitHubAnswer {
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
      if (match !== null) return route.handle(match.slice(1), url, parsed(sent));
    }
    return gitHubNotFound;
  }

  const server = await serveLoopback((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => void chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "/";
      const isBelow = path.startsWith(`${basePath}/`);
      const url = new URL(isBelow ? path.slice(basePath.length) : "/nothing", "http://github.invalid");
      const answered = answer(request, url, Buffer.concat(chunks).toString());
      const status = send(response, answered, request.headers["if-none-match"]);
      requests.push({ method: request.method ?? "GET", path, headers: request.headers, status });
    });
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

  async function change(kind: AlertKind, { number, action, members }: Parameters<GitHubServer["change"]>[1]): Promise<void> {
    const alerts = repository.alerts[kind];
    const at = alerts.findIndex((alert) => alert["number"] === number);
    const before = alerts[at];
    if (before === undefined) throw new Error(`There is no alert ${number}.`);
    const alert = { ...before, updated_at: now(), ...members };
    alerts[at] = alert;
    await event(kind, action, alert);
  }

  async function analyze(): Promise<void> {
    const sha = code.get(repository.name)?.git.tip("main");
    if (sha === undefined || options.stillFound === undefined) return;
    for (const alert of repository.alerts["code-scanning"]) {
      if (alert["state"] !== "open" || options.stillFound(alert, sha)) continue;
      const members = { state: "fixed", fixed_at: now() };
      await change("code-scanning", { number: Number(alert["number"]), action: "fixed", members });
    }
  }

  return {
    url: base(),
    pulls,
    workflows,
    analyze,
    change,
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

function parsed(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = text === "" ? {} : JSON.parse(text);
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function cursorOf(alert: GitHubAlert): string {
  return Buffer.from(`cursor:${String(alert["number"])}`).toString("base64url");
}

/** Answers with an entity tag of the content, or 304 when the client has it. */
function send(response: ServerResponse, { status, body, headers = {}, lost }: GitHubAnswer, ifNoneMatch: string | undefined): number {
  if (lost === true) {
    response.destroy();
    return status;
  }
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const etag = `W/"${createHash("sha256").update(text).digest("hex")}"`;
  const isUnchanged = status === 200 && ifNoneMatch === etag;
  const sent = isUnchanged ? 304 : status;
  response.writeHead(sent, { "content-type": "application/json; charset=utf-8", ...(status === 200 && { etag }), ...headers });
  response.end(isUnchanged ? undefined : text);
  return sent;
}
