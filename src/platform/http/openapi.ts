import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type ProblemName, problemSchema, problems, problemType } from "../../../packages/sdk/src/wire/problems.ts";
import type { Endpoint } from "./endpoint.ts";
import { noBody, type Route } from "./route.ts";

/** Problems that every authenticated route may answer. */
const everyRoute: readonly ProblemName[] = ["invalid-request", "unauthenticated", "forbidden", "defect", "unavailable"];

/** An OpenAPI document, as far as anybody reads it here. */
export interface ApiDescription {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: { readonly [path: string]: { readonly [method: string]: object } };
  readonly components: object;
}

/** GET /openapi.json: describes these routes and endpoints, and itself. */
export function createDescription(routes: readonly Route[], endpoints: readonly Endpoint[]): Endpoint {
  const endpoint: Endpoint = {
    method: "get",
    path: "/openapi.json",
    summary: "This description",
    security: [],
    answers: { 200: { description: "OpenAPI 3.1" } },
    problems: [],
    handle: async () => ({ kind: "json", status: 200, body: description }),
  };
  const description = describeApi(routes, [...endpoints, endpoint]);
  return endpoint;
}

/** The OpenAPI 3.1 description of routes and endpoints as they are mounted. */
export function describeApi(routes: readonly Route[], endpoints: readonly Endpoint[]): ApiDescription {
  const definitions: Definitions = {};
  toSchema(z.object({ problem: problemSchema }), "output", definitions);
  const paths: { [path: string]: { [method: string]: object } } = {};
  for (const endpoint of endpoints)
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: describeEndpoint(endpoint, definitions) };
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: describeRoute(route, definitions) };
  return {
    openapi: "3.1.0",
    info: { title: "runbookd", version: "1", description: "Executes Markdown runbooks for LLM workloads." },
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A token of `runbookd token create`." },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-rb",
          description:
            "A session of `POST /api/session`; what changes something also needs `runbookd-console: 1` and the origin of this server.",
        },
        webhookBearer: { type: "http", scheme: "bearer", description: "RUNBOOKD_WEBHOOK_TOKEN." },
        langfuseSignature: {
          type: "apiKey",
          in: "header",
          name: "x-langfuse-signature",
          description: "HMAC with LANGFUSE_WEBHOOK_SECRET.",
        },
        githubSignature: {
          type: "apiKey",
          in: "header",
          name: "x-hub-signature-256",
          description: "HMAC-SHA256 with GITHUB_WEBHOOK_SECRET.",
        },
        webhookBasic: { type: "http", scheme: "basic", description: "RUNBOOKD_WEBHOOK_TOKEN as the password, any user." },
      },
      schemas: definitions,
    },
  };
}

function describeRoute(route: Route, definitions: Definitions): object {
  const reads = route.body !== noBody;
  const named = [
    ...everyRoute,
    ...(reads ? (["malformed-body", "body-too-large", "unsupported-media-type"] as const) : []),
    ...route.problems,
  ];
  const parameters = [...pathParameters(route.path), ...queryParameters(route.query, definitions)];
  return {
    summary: route.summary,
    security: [{ token: [] }, { session: [] }],
    "x-roles": route.allow,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(reads ? requestBody(route.describedBody ?? route.body, definitions) : {}),
    responses: {
      ...describeSuccess(route, definitions),
      ...problemResponses(named),
      ...endpointAnswers(route.failures?.answers ?? {}, definitions),
    },
  };
}

function describeEndpoint({ summary, security, path, body, answers, problems: refusals }: Endpoint, definitions: Definitions): object {
  const parameters = pathParameters(path);
  return {
    summary,
    security: security.map((scheme) => ({ [scheme]: [] })),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : requestBody(body, definitions)),
    responses: { ...endpointAnswers(answers, definitions), ...problemResponses(refusals) },
  };
}

function requestBody(body: z.ZodType, definitions: Definitions): object {
  return { requestBody: { required: true, content: { "application/json": { schema: toSchema(body, "input", definitions) } } } };
}

function endpointAnswers(answers: Endpoint["answers"], definitions: Definitions): object {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { description, schema }]) => [
      status,
      {
        description,
        ...(schema !== undefined && { content: { "application/json": { schema: toSchema(schema, "output", definitions) } } }),
      },
    ]),
  );
}

function describeSuccess({ success, revalidates }: Route, definitions: Definitions): { readonly [status: string]: object } {
  const { status, description } = success;
  const content =
    "schema" in success
      ? { "application/json": { schema: toSchema(success.schema, "output", definitions) } }
      : { "text/event-stream": { schema: toSchema(success.events, "output", definitions) } };
  const unchanged = revalidates ? { 304: { description: "What the client has is the newest" } } : {};
  return { [status]: { description, content }, ...unchanged };
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true, schema: { type: "string" } }));
}

function queryParameters(query: z.ZodType, definitions: Definitions): object[] {
  const { properties = {}, required = [] } = toSchema(query, "input", definitions);
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: required.includes(name), schema }));
}

/** Shapes by their name in the document. */
type Definitions = { [name: string]: object };

/** The JSON Schema of what is accepted (`input`) or answered (`output`). Shapes with a name go into `definitions`; throws when a name has two meanings. */
function toSchema(schema: z.ZodType, io: "input" | "output", definitions: Definitions): z.core.JSONSchema.BaseSchema {
  const json = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  // `#/$defs` of an embedded schema would point at the whole document.
  const {
    $schema: _dialect,
    $defs: shapes = {},
    ...body
  } = JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/'));
  for (const [name, shape] of Object.entries<object>(shapes)) {
    if (definitions[name] !== undefined && !isDeepStrictEqual(definitions[name], shape)) throw new Error(`Two shapes are called ${name}.`);
    definitions[name] = shape;
  }
  return body;
}

function problemResponses(names: readonly ProblemName[]): { readonly [status: string]: object } {
  const statuses = new Set(names.map((name) => problems[name].status));
  return Object.fromEntries(
    [...statuses].map((status) => {
      const group = [...new Set(names)].filter((name) => problems[name].status === status);
      const description = group.map((name) => `${problems[name].title} (\`${problemType(name)}\`)`).join("; ");
      return [
        String(status),
        { description, content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } } },
      ];
    }),
  );
}
