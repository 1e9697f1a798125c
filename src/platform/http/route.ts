import { z } from "zod";
import type { Problem, ProblemName } from "../../../packages/sdk/src/wire/problems.ts";
import type { Caller, Role } from "../../core/role.ts";
import { aProblem } from "./problem.ts";

/** One server-sent event; `id` is what a client sends back as Last-Event-ID. */
export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** A complete answer. */
export type Answer =
  | { readonly kind: "json"; readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: "problem"; readonly problem: Problem; readonly headers?: Readonly<Record<string, string>> };

/** 304: what the client has is what there is. */
export interface Unchanged {
  readonly kind: "unchanged";
  readonly headers: Readonly<Record<string, string>>;
}

/** What a handler answers. An exception is a defect, except `StoreUnavailable`, which becomes 503. */
export type Reply = Answer | Unchanged | { readonly kind: "events"; readonly events: AsyncIterable<ServerSentEvent> };

/** What a handler is given: everything in it was verified or parsed. */
export interface RouteRequest<Query, Body> {
  /** Values of the path's `{names}`, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** For event streams. */
  readonly lastEventId: string | undefined;
  /** The entity tag that the client has, for answers that carry one. */
  readonly ifNoneMatch?: string | undefined;
  /** Aborted when the client has gone away or the server is closing. */
  readonly signal: AbortSignal;
}

/** The query of a route without one. */
export const noQuery = z.strictObject({});

/** The body of a route that reads none. */
export const noBody = z.undefined();

/** One route as data: what the server mounts is what /openapi.json describes. */
export interface RouteDefinition<Query extends z.ZodType, Body extends z.ZodType> {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** OpenAPI form, e.g. `/api/runs/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** Roles that are answered; everybody else gets 403. */
  readonly who: readonly Role[];
  /** Only for the page that this server serves: a browser must say that the request comes from the same origin. */
  readonly fromPage?: true;
  /** A strict object of strings (coerce numbers); each key stands at most once in the URL. `noQuery` when there is none. */
  readonly query: Query;
  /** JSON body; `noBody` when none is read. */
  readonly body: Body;
  /** Default 256 KiB. */
  readonly bodyLimitBytes?: number;
  /** Success status → meaning, for the description. */
  readonly answers: Readonly<Record<number, string>>;
  /** Beyond those that every route has (400, 401, 403, 503). */
  readonly problems?: readonly ProblemName[];
  handle(request: RouteRequest<z.output<Query>, z.output<Body>>): Promise<Reply>;
}

/** A route outside its own file: query and body are proven inside `handle`. */
export interface Route {
  readonly method: RouteDefinition<z.ZodType, z.ZodType>["method"];
  readonly path: string;
  readonly summary: string;
  readonly who: readonly Role[];
  readonly fromPage: boolean;
  readonly query: z.ZodType;
  readonly body: z.ZodType;
  readonly bodyLimitBytes: number;
  readonly answers: Readonly<Record<number, string>>;
  readonly problems: readonly ProblemName[];
  handle(request: RouteRequest<unknown, unknown>): Promise<Reply>;
}

/** Closes over the types of query and body: the handler sees parsed values, a value that does not fit is answered 400 with every issue. */
export function defineRoute<Query extends z.ZodType, Body extends z.ZodType>(definition: RouteDefinition<Query, Body>): Route {
  return {
    method: definition.method,
    path: definition.path,
    summary: definition.summary,
    who: definition.who,
    fromPage: definition.fromPage ?? false,
    query: definition.query,
    body: definition.body,
    bodyLimitBytes: definition.bodyLimitBytes ?? 256 * 1024,
    answers: definition.answers,
    problems: definition.problems ?? [],
    async handle(request) {
      const query = definition.query.safeParse(request.query);
      if (!query.success) return problem("invalid-request", "The query has faults.", issuesOf(query.error));
      const body = definition.body.safeParse(request.body);
      if (!body.success) return problem("invalid-request", "The body has faults.", issuesOf(body.error));
      return definition.handle({ ...request, query: query.data, body: body.data });
    },
  };
}

/** A JSON answer. */
export function json(status: number, body: unknown, headers?: Readonly<Record<string, string>>): Answer {
  return { kind: "json", status, body, ...(headers === undefined ? {} : { headers }) };
}

/** A problem of the closed set as an answer. */
export function problem(name: ProblemName, detail: string, issues?: readonly string[]): Answer {
  return { kind: "problem", problem: aProblem(name, detail, issues) };
}

/** 503 with the time after which trying again is sensible. */
export function unavailable(detail: string): Answer {
  return { kind: "problem", problem: aProblem("unavailable", detail), headers: { "Retry-After": "5" } };
}

/** One sentence per fault, with its place; never the value itself, which may be secret or hostile. */
export function issuesOf(error: z.ZodError): string[] {
  return error.issues.map((issue) => `${issue.path.length === 0 ? "(whole)" : issue.path.join(".")}: ${issue.message}`);
}
