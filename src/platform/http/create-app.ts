import express, { type Express, type NextFunction, type Request, type Response } from "express";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { StoreGate } from "../../core/store-gate.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { type Authority, authorize } from "./authorize.ts";
import { type BodyBudgets, createBodyBudgets } from "./body-budgets.ts";
import { isKept, keepConnection } from "./connection-limits.ts";
import type { ConsoleFiles } from "./console-files.ts";
import type { Content, Endpoint, EndpointRequest } from "./endpoint.ts";
import { readJsonBody } from "./json-body.ts";
import { aProblem } from "./problem.ts";
import { type HttpResponse, noBody, problem, type Route, type RouteResponse, refuse, unavailable } from "./route.ts";
import { securityHeaders, sendEvents, sendResponse } from "./send-response.ts";
import { readVerifiedBody } from "./verified-body.ts";

/** The routes of an HTTP application, and who may call them. */
export interface AppDeps extends Authority {
  /** Everything under /api: each checks its caller's token. */
  readonly routes: readonly Route[];
  /** Everything else. */
  readonly endpoints: readonly Endpoint[];
  readonly log: Log;
  readonly clock: Clock;
  /** Aborted when the process shuts down: streams end. */
  readonly closing: AbortSignal;
  /** The pages for people; absent: there are none. */
  readonly console?: ConsoleFiles;
  /** While it is not fit only what reads or stops is answered; the rest gets 503. */
  readonly storeGate?: Pick<StoreGate, "isFit">;
}

/** Limits of one process; the defaults suit half a gigabyte of memory. */
export interface AppLimits {
  /** Divided by {@link createBodyBudgets}. */
  readonly maxBytesBeingRead?: number;
  readonly maxEventStreams?: number;
}

/** The application: nothing listens yet. Throws when two routes claim one method and path. */
export function createApp(deps: AppDeps, limits: AppLimits = {}): Express {
  const budgets = createBodyBudgets(limits.maxBytesBeingRead ?? 64 * 1024 * 1024);
  const app = express();
  app.disable("x-powered-by").disable("etag").set("query parser", false).set("trust proxy", false);
  app.enable("case sensitive routing").enable("strict routing");
  app.use(securityHeaders);
  app.use(withoutTrailingSlash);

  mountEndpoints(app, deps, budgets);
  mountRoutes(app, deps, { budgets, maxStreams: limits.maxEventStreams ?? 300 });

  if (deps.console !== undefined) app.use(createConsoleHandler(deps.console, deps.log));
  app.use((_request, response) =>
    sendResponse(response, problem("not-found", "There is nothing at this address; GET /openapi.json lists all.")),
  );
  // oxlint-disable-next-line max-params -- Express knows an error handler by its four parameters.
  app.use((thrown: unknown, _request: Request, response: Response, _next: NextFunction) => {
    sendResponse(response, responseOf(thrown, deps.log));
  });
  return app;
}

/** Answers pages and their files; every other path goes on to the next handler. */
function createConsoleHandler(console: ConsoleFiles, log: Log) {
  return async (request: Request, response: Response, next: NextFunction) => {
    if (request.method !== "GET" && request.method !== "HEAD") return next();
    const file = await console.answer({ path: request.path, headers: request.headers }).catch((thrown: unknown) => responseOf(thrown, log));
    if (file === undefined) return next();
    if (file === "absent")
      return sendResponse(
        response,
        problem("not-found", "The console is not part of this build: run `npm run build` and start the server again."),
      );
    if ("kind" in file) return sendResponse(response, file);
    if (!isKept(request.socket)) response.setHeader("Connection", "close");
    response.writeHead(file.status, { ...file.headers, ...(file.status === 200 && { "Content-Length": file.body.length }) }).end(file.body);
  };
}

/** Addresses of webhooks are typed by hand into other programs, whose alerts must not be lost for a slash. */
function withoutTrailingSlash(request: Request, _response: Response, next: NextFunction): void {
  request.url = request.url.replace(/^(\/webhooks\/[a-z]+)\/(?=\?|$)/u, "$1");
  next();
}

function mountEndpoints(app: Express, { endpoints, clock, log }: AppDeps, { webhook: budget }: BodyBudgets): void {
  for (const path of new Set(endpoints.map((endpoint) => endpoint.path))) {
    const here = endpoints.filter((endpoint) => endpoint.path === path);
    const allowed = methodsOf(path, here);
    for (const endpoint of here) {
      app[endpoint.method](expressPath(path), async (request, response) => {
        const began = clock.monotonic();
        const readJson: EndpointRequest["readJson"] = async (limitBytes, options) =>
          readJsonBody(request, { ...options, limitBytes, budget });
        const readVerified: EndpointRequest["readVerified"] = async (verifier, sizes) => readVerifiedBody(request, verifier, sizes);
        const result = await endpoint
          .handle({ headers: request.headers, readJson, readVerified })
          .catch((thrown: unknown) => responseOf(thrown, log));
        if (endpoint.security.length > 0 && !isRefusal(result)) keepConnection(request.socket);
        sendResponse(response, result);
        endpoint.answered?.(response.statusCode, (clock.monotonic() - began) / 1000);
      });
    }
    refuseOtherMethods(app, path, allowed);
  }
}

function mountRoutes(app: Express, deps: AppDeps, limits: { readonly budgets: BodyBudgets; readonly maxStreams: number }): void {
  let streams = 0;
  for (const path of literalFirst(deps.routes.map((route) => route.path))) {
    const routes = deps.routes.filter((route) => route.path === path);
    const allowed = methodsOf(path, routes);
    for (const route of routes) {
      app[route.method](expressPath(path), async (request, response) => {
        const gone = new AbortController();
        response.once("close", () => gone.abort());
        const refused = new AbortController();
        const signal = AbortSignal.any([gone.signal, refused.signal, deps.closing]);
        const result = await answer(route, request, { deps, signal, budgets: limits.budgets });
        if (result.kind === "unchanged") return void response.writeHead(304, result.headers).end();
        if (result.kind !== "events") return sendResponse(response, result);
        if (streams >= limits.maxStreams) return sendResponse(response, unavailable("Too many event streams are open."));
        streams += 1;
        const recheck = async () => {
          if (!(await isStillPermitted(request, route, deps))) refused.abort();
        };
        const stopListening = deps.tokens.onChange?.(() => void recheck());
        try {
          await sendEvents(response, result.events, { clock: deps.clock, signal, recheck });
        } finally {
          stopListening?.();
          streams -= 1;
        }
      });
    }
    refuseOtherMethods(app, path, allowed);
  }
}

/** What cannot be verified is not permitted. */
async function isStillPermitted(request: Request, route: Route, authority: Authority): Promise<boolean> {
  try {
    return (await authorize({ request, route, isRecheck: true }, authority)).ok;
  } catch {
    return false;
  }
}

/** Whether an endpoint that asks for credentials did not get them, or does not exist. */
function isRefusal(result: HttpResponse | Content): boolean {
  return result.kind === "problem" && (result.problem.status === 401 || result.problem.status === 404);
}

/** Each path once; a name comes before a parameter in the same place, so that `/things/special` is not taken for `/things/{id}`. */
function literalFirst(paths: readonly string[]): readonly string[] {
  const rank = (path: string) => path.replaceAll("{", "\uffff");
  return [...new Set(paths)].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** What the path accepts. Whatever answers GET answers HEAD. */
function methodsOf(path: string, mounted: readonly { readonly method: string }[]): readonly string[] {
  const methods = mounted.map(({ method }) => method.toUpperCase());
  if (new Set(methods).size < methods.length) throw new Error(`Two routes claim one method of ${path}.`);
  return methods.includes("GET") ? [...methods, "HEAD"] : methods;
}

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

async function answer(
  route: Route,
  request: Request,
  { deps, signal, budgets }: { readonly deps: AppDeps; readonly signal: AbortSignal; readonly budgets: BodyBudgets },
): Promise<RouteResponse> {
  const permitted = await authorize({ request, route }, deps);
  if (!permitted.ok) return permitted.response;
  keepConnection(request.socket);
  if (route.method !== "get" && !route.stops && deps.storeGate?.isFit() === false)
    return unavailable("The store is unfit or has not been judged; nothing is accepted.");
  const params = Object.fromEntries(Object.entries(request.params).map(([name, value]) => [name, String(value)]));
  const query = parseQuery(request.url);
  if (query === undefined) return problem("invalid-request", "A key stands twice in the query; each may stand once.");
  let body: unknown;
  if (route.body !== noBody) {
    const read = await readJsonBody(request, { limitBytes: route.bodyLimitBytes, budget: budgets.ofCaller(permitted.caller) });
    if (!read.ok && read.problem.status === 503) return unavailable(read.problem.detail);
    if (!read.ok) return refuse({ kind: "problem", problem: read.problem }, route, params);
    body = read.value;
  }
  const lastEventId = request.get("last-event-id");
  const ifNoneMatch = request.get("if-none-match");
  const follower = request.get("runbookd-follower")?.slice(0, 100);
  const held = request.get("runbookd-held");
  const { caller, access } = permitted;
  return route.handle({ params, query, body, caller, access, lastEventId, ifNoneMatch, follower, held, signal });
}

/** Each key at most once; undefined when one stands twice. Brackets and dots mean nothing. */
function parseQuery(url: string): { readonly [key: string]: string } | undefined {
  const at = url.indexOf("?");
  const entries = at < 0 ? [] : [...new URLSearchParams(url.slice(at + 1))];
  return new Set(entries.map(([key]) => key)).size === entries.length ? Object.fromEntries(entries) : undefined;
}

function refuseOtherMethods(app: Express, path: string, allowed: readonly string[]): void {
  app.all(expressPath(path), function methodNotAllowed(_request, response) {
    response.setHeader("Allow", allowed.join(", "));
    sendResponse(response, problem("method-not-allowed", `Accepted here: ${allowed.join(", ")}.`));
  });
}

/** What an exception becomes: a store that is away is 503, a request that Express cannot read is 400, everything else is a defect without a word about it. */
function responseOf(thrown: unknown, log: Log): HttpResponse {
  if (thrown instanceof StoreUnavailable) return unavailable(thrown.message);
  const status = thrown instanceof Error && "status" in thrown ? thrown.status : undefined;
  if (status === 400) return problem("malformed-body", "The address or the request cannot be read.");
  log.error(
    { error: thrown instanceof Error ? `${thrown.name}: ${thrown.message}`.slice(0, 200) : "not an Error" },
    "A request met a defect.",
  );
  return { kind: "problem", problem: aProblem("defect", "The defect is in this process's log.") };
}
