import { z } from "zod";
import { type ProblemName, problems, problemType } from "../../../packages/sdk/src/wire/problems.ts";
import type { Endpoint } from "./endpoint.ts";
import { json, noBody, type Route } from "./route.ts";

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
    answers: { 200: "OpenAPI 3.1" },
    problems: [],
    handle: async () => json(200, description),
  };
  const description = describeApi(routes, [...endpoints, endpoint]);
  return endpoint;
}

/** The OpenAPI 3.1 description of routes and endpoints as they are mounted. */
export function describeApi(routes: readonly Route[], endpoints: readonly Endpoint[]): ApiDescription {
  const definitions: Definitions = {};
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
        webhookBearer: { type: "http", scheme: "bearer", description: "RUNBOOKD_WEBHOOK_TOKEN." },
        langfuseSignature: {
          type: "apiKey",
          in: "header",
          name: "x-langfuse-signature",
          description: "HMAC with LANGFUSE_WEBHOOK_SECRET.",
        },
        webhookBasic: { type: "http", scheme: "basic", description: "RUNBOOKD_WEBHOOK_TOKEN as the password, any user." },
      },
      schemas: {
        ...definitions,
        Problem: {
          type: "object",
          required: ["type", "title", "status", "detail"],
          properties: {
            type: { type: "string", enum: Object.keys(problems).map((name) => `urn:problem-type:runbookd:${name}`) },
            title: { type: "string" },
            status: { type: "integer" },
            detail: { type: "string" },
            issues: { type: "array", items: { type: "string" } },
          },
        },
      },
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
    security: [{ token: [] }],
    "x-roles": route.who,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(reads ? requestBody(route.body, definitions) : {}),
    responses: { ...successes(route.answers), ...problemResponses(named) },
  };
}

function describeEndpoint({ summary, security, path, body, answers, problems }: Endpoint, definitions: Definitions): object {
  const parameters = pathParameters(path);
  return {
    summary,
    security: security.map((scheme) => ({ [scheme]: [] })),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : requestBody(body, definitions)),
    responses: { ...successes(answers), ...problemResponses(problems) },
  };
}

function requestBody(body: z.ZodType, definitions: Definitions): object {
  return { requestBody: { required: true, content: { "application/json": { schema: toSchema(body, definitions) } } } };
}

function successes(answers: Readonly<Record<number, string>>): object {
  return Object.fromEntries(Object.entries(answers).map(([status, description]) => [status, { description }]));
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true, schema: { type: "string" } }));
}

function queryParameters(query: z.ZodType, definitions: Definitions): object[] {
  const { properties = {}, required = [] } = toSchema(query, definitions);
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: required.includes(name), schema }));
}

/** Shapes that refer to themselves; `#/$defs` of an embedded schema would point at the whole document. */
type Definitions = { [name: string]: object };

function toSchema(schema: z.ZodType, definitions: Definitions): z.core.JSONSchema.BaseSchema {
  const { $schema: _dialect, $defs: shapes = {}, ...body } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  if (Object.keys(shapes).length === 0) return body;
  const prefix = `Shape${Object.keys(definitions).length}`;
  const rename = (part: object) => JSON.parse(JSON.stringify(part).replaceAll('"#/$defs/', `"#/components/schemas/${prefix}`));
  for (const [name, shape] of Object.entries(shapes)) definitions[`${prefix}${name}`] = rename(shape);
  return rename(body);
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
