import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { createWebhook, unavailable, type WebhookDeps } from "../alerts/webhook.ts";
import { mountAnswerPage, pagePaths } from "../approvals/answer-page.ts";
import type { Clock } from "../core/clock.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import { createLangfuseWebhook } from "../integrations/langfuse/langfuse-webhook.ts";
import { authorize } from "../platform/http/authorize.ts";
import type { HttpLog } from "../platform/http/http-log.ts";
import type { HttpObserver } from "../platform/http/http-observer.ts";
import { createMemoryBudget, type MemoryBudget, readJsonBody } from "../platform/http/json-body.ts";
import { aProblem } from "../platform/http/problem.ts";
import type { Readiness } from "../platform/http/readiness.ts";
import { type Answer, noBody, problem, type Reply, type Route } from "../platform/http/route.ts";
import { securityHeaders, sendEvents, sendReply } from "../platform/http/send-reply.ts";
import type { TokenVerifier } from "../platform/http/token-verifier.ts";
import { describeApi } from "./openapi.ts";

/** What the HTTP application is made of. `routes` is everything under /api. */
export interface AppDeps {
  readonly webhook: Omit<WebhookDeps, "clock" | "log">;
  /** What Langfuse signs with; absent: its webhook answers 404. */
  readonly langfuseSecret?: string | undefined;
  readonly routes: readonly Route[];
  readonly tokens: TokenVerifier;
  /** Where people reach this server; absent: under the name that they use. */
  readonly publicUrl?: string | undefined;
  readonly readiness: Readiness;
  readonly observer: HttpObserver;
  readonly log: HttpLog;
  readonly clock: Clock;
  /** Aborted when the process shuts down: webhooks get 503, streams end, readiness is over. */
  readonly closing: AbortSignal;
}

/** Limits of one process; the defaults suit half a gigabyte of memory. */
export interface AppLimits {
  readonly maxWebhooksInFlight?: number;
  readonly maxBytesBeingRead?: number;
  readonly maxEventStreams?: number;
}

/** The application: nothing listens yet. Throws when two routes claim one method and path. */
export function createApp(deps: AppDeps, limits: AppLimits = {}): Express {
  const budget = createMemoryBudget(limits.maxBytesBeingRead ?? 64 * 1024 * 1024);
  const app = express();
  app.disable("x-powered-by").disable("etag").set("query parser", false).set("trust proxy", false);
  app.enable("case sensitive routing").enable("strict routing");
  app.use(securityHeaders);

  mountWebhook(app, deps, { maxInFlight: limits.maxWebhooksInFlight ?? 200, budget });
  mountHealth(app, deps);
  mountAnswerPage(app);
  for (const path of pagePaths) refuseOtherMethods(app, path, ["GET", "HEAD"]);
  mountApi(app, deps, { budget, maxStreams: limits.maxEventStreams ?? 100 });

  app.use((_request, response) =>
    sendReply(response, problem("not-found", "There is nothing at this address; GET /openapi.json lists all.")),
  );
  // Express knows an error handler by its four parameters.
  app.use((thrown: unknown, _request: Request, response: Response, _next: NextFunction) => {
    sendReply(response, replyOf(thrown, deps.log));
  });
  return app;
}

function mountWebhook(app: Express, deps: AppDeps, { maxInFlight, budget }: { maxInFlight: number; budget: MemoryBudget }): void {
  const { clock, log, closing, observer } = deps;
  const webhook = createWebhook({ ...deps.webhook, clock, log }, { maxInFlight, budget, closing });
  app.post("/webhooks/alertmanager", async (request, response) => {
    const began = clock.monotonic();
    const reply = await webhook(request).catch((thrown: unknown) => replyOf(thrown, log));
    sendReply(response, reply);
    observer.notification(response.statusCode, (clock.monotonic() - began) / 1000);
  });
  refuseOtherMethods(app, "/webhooks/alertmanager", ["POST"]);
  const langfuse = createLangfuseWebhook({ intake: deps.webhook.intake, secret: deps.langfuseSecret, clock, log }, budget);
  app.post("/webhooks/langfuse", async (request, response) => {
    sendReply(response, await langfuse(request).catch((thrown: unknown) => replyOf(thrown, log)));
  });
  refuseOtherMethods(app, "/webhooks/langfuse", ["POST"]);
}

function mountHealth(app: Express, deps: AppDeps): void {
  const description = describeApi(deps.routes);
  app.get("/openapi.json", (_request, response) => sendReply(response, { kind: "json", status: 200, body: description }));
  app.get("/healthz", (_request, response) => sendReply(response, { kind: "json", status: 200, body: { status: "ok" } }));
  app.get("/readyz", async (_request, response) => {
    const conditions = [{ name: "running", ok: !deps.closing.aborted }, ...(await deps.readiness.conditions())];
    const ready = conditions.every(({ ok }) => ok);
    sendReply(response, { kind: "json", status: ready ? 200 : 503, body: { ready, conditions } });
  });
  for (const path of ["/openapi.json", "/healthz", "/readyz"]) refuseOtherMethods(app, path, ["GET", "HEAD"]);
}

function mountApi(app: Express, deps: AppDeps, limits: { readonly budget: MemoryBudget; readonly maxStreams: number }): void {
  let streams = 0;
  for (const path of literalFirst(deps.routes.map((route) => route.path))) {
    const routes = deps.routes.filter((route) => route.path === path);
    const methods = routes.map(({ method }) => method.toUpperCase());
    if (new Set(methods).size < methods.length) throw new Error(`Two routes claim one method of ${path}.`);
    const mounted = path.replaceAll(/\{(\w+)\}/g, ":$1");
    for (const route of routes) {
      app[route.method](mounted, async (request, response) => {
        const gone = new AbortController();
        response.once("close", () => gone.abort());
        const signal = AbortSignal.any([gone.signal, deps.closing]);
        const reply = await answer(route, request, signal, deps, limits.budget);
        if (reply.kind === "unchanged") return void response.writeHead(304, reply.headers).end();
        if (reply.kind !== "events") return sendReply(response, reply);
        if (streams >= limits.maxStreams) return sendReply(response, unavailable("Too many event streams are open."));
        streams += 1;
        try {
          await sendEvents(response, reply.events, deps.clock, signal);
        } finally {
          streams -= 1;
        }
      });
    }
    refuseOtherMethods(app, mounted, methods.includes("GET") ? [...methods, "HEAD"] : methods);
  }
}

/** Each path once; a name comes before a parameter in the same place, so that `/things/special` is not taken for `/things/{id}`. */
function literalFirst(paths: readonly string[]): readonly string[] {
  const rank = (path: string) => path.replaceAll("{", "\uffff");
  return [...new Set(paths)].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

async function answer(route: Route, request: Request, signal: AbortSignal, deps: AppDeps, budget: MemoryBudget): Promise<Reply> {
  const permitted = await authorize(request, route, deps.tokens, deps.publicUrl);
  if (!permitted.ok) return permitted.reply;
  const query = parseQuery(request.url);
  if (query === undefined) return problem("invalid-request", "A key stands twice in the query; each may stand once.");
  let body: unknown;
  if (route.body !== noBody) {
    const read = await readJsonBody(request, { limitBytes: route.bodyLimitBytes, budget });
    if (!read.ok) return read.problem.status === 503 ? unavailable(read.problem.detail) : { kind: "problem", problem: read.problem };
    body = read.value;
  }
  const lastEventId = request.get("last-event-id");
  const ifNoneMatch = request.get("if-none-match");
  const params = Object.fromEntries(Object.entries(request.params).map(([name, value]) => [name, String(value)]));
  return route.handle({ params, query, body, caller: permitted.caller, lastEventId, ifNoneMatch, signal });
}

/** Each key at most once; undefined when one stands twice. Brackets and dots mean nothing. */
function parseQuery(url: string): { readonly [key: string]: string } | undefined {
  const at = url.indexOf("?");
  const entries = at < 0 ? [] : [...new URLSearchParams(url.slice(at + 1))];
  return new Set(entries.map(([key]) => key)).size === entries.length ? Object.fromEntries(entries) : undefined;
}

function refuseOtherMethods(app: Express, path: string, allowed: readonly string[]): void {
  app.all(path, function methodNotAllowed(_request, response) {
    response.setHeader("Allow", allowed.join(", "));
    sendReply(response, problem("method-not-allowed", `Accepted here: ${allowed.join(", ")}.`));
  });
}

/** What an exception becomes: a store that is away is 503, a request that Express cannot read is 400, everything else is a defect without a word about it. */
function replyOf(thrown: unknown, log: HttpLog): Answer {
  if (thrown instanceof StoreUnavailable) return unavailable(thrown.message);
  const status = thrown instanceof Error && "status" in thrown ? thrown.status : undefined;
  if (status === 400) return problem("malformed-body", "The address or the request cannot be read.");
  log.error(
    { error: thrown instanceof Error ? `${thrown.name}: ${thrown.message}`.slice(0, 200) : "not an Error" },
    "A request met a defect.",
  );
  return { kind: "problem", problem: aProblem("defect", "The defect is in this process's log.") };
}
