import { z } from "zod";
import { type ProblemName, problems, problemType } from "../../packages/sdk/src/wire/problems.ts";
import { notificationSchema } from "../alerts/notification.ts";
import { noBody, type Route } from "../platform/http/route.ts";

/** Problems that every authenticated route may answer. */
const everyRoute: readonly ProblemName[] = ["invalid-request", "unauthenticated", "forbidden", "defect", "unavailable"];

/** An OpenAPI document, as far as anybody reads it here. */
export interface ApiDescription {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: { readonly [path: string]: { readonly [method: string]: object } };
  readonly components: object;
}

/** The OpenAPI 3.1 description: the routes as they are mounted, and the few that need no role. */
export function describeApi(routes: readonly Route[]): ApiDescription {
  const definitions: Definitions = {};
  const paths: { [path: string]: { [method: string]: object } } = { ...openPaths(definitions) };
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
    ...(reads ? { requestBody: { required: true, content: { "application/json": { schema: toSchema(route.body, definitions) } } } } : {}),
    responses: {
      ...Object.fromEntries(Object.entries(route.answers).map(([status, description]) => [status, { description }])),
      ...problemResponses(named),
    },
  };
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

function openPaths(definitions: Definitions): { readonly [path: string]: { readonly [method: string]: object } } {
  return {
    "/webhooks/alertmanager": {
      post: {
        summary: "A notification of Alertmanager or Grafana Alerting; answered 202 once every decision is durable",
        security: [{ webhookBearer: [] }, { webhookBasic: [] }],
        requestBody: { required: true, content: { "application/json": { schema: toSchema(notificationSchema, definitions) } } },
        responses: {
          202: { description: "`decisions`: exactly one per alert" },
          ...problemResponses(["malformed-body", "invalid-request", "unauthenticated", "body-too-large", "defect", "unavailable"]),
        },
      },
    },
    "/webhooks/langfuse": {
      post: {
        summary:
          "An event of Langfuse: a monitor's alert becomes a decision, a changed prompt is read anew; answered 202 once that is durable",
        security: [{ langfuseSignature: [] }],
        requestBody: { required: true, content: { "application/json": { schema: { type: "object" } } } },
        responses: {
          202: { description: "`decisions`: one for an alert, else none" },
          ...problemResponses([
            "malformed-body",
            "invalid-request",
            "unauthenticated",
            "not-found",
            "body-too-large",
            "defect",
            "unavailable",
          ]),
        },
      },
    },
    "/a/{id}": {
      get: {
        summary: "The page behind a mailed link; the same for every question, and opening it decides nothing",
        security: [],
        parameters: pathParameters("/a/{id}"),
        responses: { 200: { description: "HTML" } },
      },
    },
    "/a.js": { get: { summary: "The script of that page", security: [], responses: { 200: { description: "JavaScript" } } } },
    "/a.css": { get: { summary: "The style of that page", security: [], responses: { 200: { description: "CSS" } } } },
    "/healthz": { get: { summary: "The process lives", security: [], responses: { 200: { description: "It does" } } } },
    "/readyz": {
      get: {
        summary: "Whether work can be accepted, condition by condition",
        security: [],
        responses: { 200: { description: "Ready" }, 503: { description: "`conditions` says what is missing" } },
      },
    },
    "/openapi.json": { get: { summary: "This description", security: [], responses: { 200: { description: "OpenAPI 3.1" } } } },
  };
}
