import { z } from "zod";
import type { Problem, ProblemName } from "../../../packages/sdk/src/wire/problems.ts";
import type { Shape } from "../../../packages/sdk/src/wire/shape.ts";
import type { Caller, Role } from "../../core/role.ts";
import type { Access } from "./access.ts";
import { aProblem } from "./problem.ts";

/** One server-sent event; `id` is what a client sends back as Last-Event-ID. */
export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** A refusal of the closed set of problems. */
export interface Refusal {
  readonly kind: "problem";
  readonly problem: Problem;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A complete answer. */
export type HttpResponse =
  | { readonly kind: "json"; readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  | Refusal;

/** 304: what the client has is what there is. */
export interface Unchanged {
  readonly kind: "unchanged";
  readonly headers: Readonly<Record<string, string>>;
}

/** What a route answers. An exception is a defect, except `StoreUnavailable`, which becomes 503. */
export type RouteResponse = HttpResponse | Unchanged | { readonly kind: "events"; readonly events: AsyncIterable<ServerSentEvent> };

/** A success body; the route declares its status. */
export interface JsonResponse<Body> {
  readonly kind: "json";
  readonly body: Body;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A failure in the form of the route's protocol, see {@link ProtocolFailures}. */
export interface Failure {
  readonly kind: "failure";
  readonly status: number;
  readonly body: unknown;
}

/** The failures of a route whose protocol is not ours and says itself how they look. */
export interface ProtocolFailures {
  /** By status, with the schema of each body. */
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema: z.ZodType }>>;
  /** In place of the problem of a request that was refused before the handler saw it; undefined: the problem is answered. */
  of(problem: Problem, params: Readonly<Record<string, string>>): Failure | undefined;
}

/** What the handler of a route answers. */
export type HandlerResponse<Body> = JsonResponse<Body> | Refusal | Unchanged | Failure;

/** What a handler is given: everything in it was verified or parsed. */
export interface RouteRequest<Query, Body> {
  /** Values of the path's `{names}`, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** How the caller was recognized; only the routes of sessions need it. */
  readonly access?: Access;
  /** For event streams. */
  readonly lastEventId: string | undefined;
  /** The entity tag that the client has, for answers that carry one. */
  readonly ifNoneMatch?: string | undefined;
  /** How the process of an application names itself, so that it can be counted among those that follow a document (`Runbookd-Follower`). */
  readonly follower?: string | undefined;
  /** Which versions of several documents that process has (`Runbookd-Held`), as it wrote them. */
  readonly held?: string | undefined;
  /** Aborted when the client has gone away or the server is closing. */
  readonly signal: AbortSignal;
}

/** The query of a route without one. */
export const noQuery = z.strictObject({});

/** The body of a route that reads none. */
export const noBody = z.undefined();

/** What a route answers when it succeeds: the handler is held to it by its type, and tests parse every body with it. */
export interface Success<Ok extends z.ZodType> {
  readonly status: 200 | 201 | 202;
  /** What the body is. */
  readonly description: string;
  readonly schema: Ok;
}

/** The same for a stream; `events` is the schema of one event's name and data. */
export interface SuccessEvents<Events extends z.ZodType> {
  readonly status: 200;
  readonly description: string;
  readonly events: Events;
}

interface RouteHead<Query extends z.ZodType, Body extends z.ZodType> {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** OpenAPI form, e.g. `/api/runs/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** Roles that are answered; everybody else gets 403. */
  readonly allow: readonly Role[];
  /** Only for the page that this server serves: a browser must say that the request comes from the same origin. */
  readonly fromPage?: true;
  /** A stop of something; it is taken also while the store is unfit. */
  readonly stops?: true;
  /** A link that signs in once is taken in place of a token. */
  readonly takesLink?: true;
  /** Signs the caller out: whatever it answers, the browser loses its cookie. */
  readonly endsSession?: true;
  /** A strict object of strings (coerce numbers); each key stands at most once in the URL. `noQuery` when there is none. */
  readonly query: Query;
  /** JSON body; `noBody` when none is read. */
  readonly body: Body;
  /** What the description says of the body, where `body` leaves the items of a list to the handler. */
  readonly describedBody?: z.ZodType;
  /** Default 256 KiB. */
  readonly bodyLimitBytes?: number;
  /** Beyond those that every route has (400, 401, 403, 503). */
  readonly problems?: readonly ProblemName[];
  /** Only for a protocol of others. */
  readonly failures?: ProtocolFailures;
}

/** One route as data: what the server mounts is what /openapi.json describes. */
export interface RouteDefinition<Query extends z.ZodType, Body extends z.ZodType, Ok extends z.ZodType> extends RouteHead<Query, Body> {
  readonly success: Success<Ok>;
  /** The answer carries an entity tag, and 304 says that the client's is the newest. */
  readonly revalidates?: true;
  handle(request: RouteRequest<z.output<Query>, z.output<Body>>): Promise<HandlerResponse<Shape<Ok>>>;
}

/** One route that answers with server-sent events. */
export interface EventRouteDefinition<Query extends z.ZodType, Body extends z.ZodType, Events extends z.ZodType>
  extends RouteHead<Query, Body> {
  readonly success: SuccessEvents<Events>;
  handle(
    request: RouteRequest<z.output<Query>, z.output<Body>>,
  ): Promise<Refusal | { readonly kind: "events"; readonly events: AsyncIterable<ServerSentEvent & Shape<Events>> }>;
}

/** A route outside its own file: query and body are proven inside `handle`. */
export interface Route {
  readonly method: RouteHead<z.ZodType, z.ZodType>["method"];
  readonly path: string;
  readonly summary: string;
  readonly allow: readonly Role[];
  readonly fromPage: boolean;
  readonly stops: boolean;
  readonly endsSession: boolean;
  readonly takesLink: boolean;
  readonly query: z.ZodType;
  readonly body: z.ZodType;
  readonly describedBody?: z.ZodType | undefined;
  readonly bodyLimitBytes: number;
  readonly success: Success<z.ZodType> | SuccessEvents<z.ZodType>;
  readonly revalidates: boolean;
  readonly problems: readonly ProblemName[];
  readonly failures: ProtocolFailures | undefined;
  handle(request: RouteRequest<unknown, unknown>): Promise<RouteResponse>;
}

/** Closes over the types of query and body: the handler sees parsed values, a value that does not fit is answered 400 with every issue. */
export function defineRoute<Query extends z.ZodType, Body extends z.ZodType, Ok extends z.ZodType>(
  definition: RouteDefinition<Query, Body, Ok>,
): Route {
  const { success, revalidates = false } = definition;
  return {
    ...headOf(definition),
    success,
    revalidates,
    async handle(request) {
      const parsed = parseRequest(definition, request);
      if (parsed.kind === "problem") return refuse(parsed, definition, request.params);
      const result = await definition.handle(parsed.request);
      if (result.kind === "failure") return { ...result, kind: "json" };
      return result.kind === "json" ? { ...result, status: success.status } : result;
    },
  };
}

/** A refusal as the protocol of the route writes it. */
export function refuse(
  refusal: Refusal,
  { failures }: { readonly failures?: ProtocolFailures | undefined },
  params: RouteRequest<unknown, unknown>["params"],
): HttpResponse {
  const failure = failures?.of(refusal.problem, params);
  return failure === undefined ? refusal : { ...failure, kind: "json" };
}

/** As {@link defineRoute}, for a stream of events. */
export function defineEventRoute<Query extends z.ZodType, Body extends z.ZodType, Events extends z.ZodType>(
  definition: EventRouteDefinition<Query, Body, Events>,
): Route {
  return {
    ...headOf(definition),
    success: definition.success,
    revalidates: false,
    async handle(request) {
      const parsed = parseRequest(definition, request);
      return parsed.kind === "problem" ? parsed : definition.handle(parsed.request);
    },
  };
}

function headOf(definition: RouteHead<z.ZodType, z.ZodType>): Omit<Route, "success" | "revalidates" | "handle"> {
  const {
    method,
    path,
    summary,
    allow,
    fromPage = false,
    stops = false,
    endsSession = false,
    takesLink = false,
    query,
    body,
    describedBody,
    bodyLimitBytes = 256 * 1024,
    problems = [],
    failures,
  } = definition;
  return {
    method,
    path,
    summary,
    allow,
    fromPage,
    stops,
    endsSession,
    takesLink,
    query,
    body,
    describedBody,
    bodyLimitBytes,
    problems,
    failures,
  };
}

function parseRequest<Query extends z.ZodType, Body extends z.ZodType>(
  definition: RouteHead<Query, Body>,
  request: RouteRequest<unknown, unknown>,
): Refusal | { readonly kind: "request"; readonly request: RouteRequest<z.output<Query>, z.output<Body>> } {
  const query = definition.query.safeParse(request.query);
  if (!query.success) return problem("invalid-request", "The query has faults.", issuesOf(query.error));
  const body = definition.body.safeParse(request.body);
  if (!body.success) return problem("invalid-request", "The body has faults.", issuesOf(body.error));
  return { kind: "request", request: { ...request, query: query.data, body: body.data } };
}

/** The success body of a route. */
export function json<Body>(body: Body, headers?: Readonly<Record<string, string>>): JsonResponse<Body> {
  return { kind: "json", body, ...(headers === undefined ? {} : { headers }) };
}

/** A problem of the closed set as an answer. */
export function problem(name: ProblemName, detail: string, issues?: readonly string[]): Refusal {
  return { kind: "problem", problem: aProblem(name, detail, issues) };
}

/** 503 with the time after which trying again is sensible. */
export function unavailable(detail: string): Refusal {
  return { kind: "problem", problem: aProblem("unavailable", detail), headers: { "Retry-After": "5" } };
}

/** One sentence per fault, with its place; never the value itself, which may be secret or hostile. */
export function issuesOf(error: z.ZodError): string[] {
  return error.issues.map((issue) => `${issue.path.length === 0 ? "(whole)" : issue.path.join(".")}: ${issue.message}`);
}
