import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Route, RouteResponse } from "../../src/platform/http/route.ts";

/** Routes whose success bodies are parsed with their schemas, and what did not fit so far. */
export interface ProvenRoutes {
  readonly routes: readonly Route[];
  /** One sentence per body that did not fit. */
  readonly faults: readonly string[];
}

/** Parses each success body, and each event, with the route's schema: nothing may be missing, and nothing may be there that the schema does not name. */
export function provenRoutes(routes: readonly Route[]): ProvenRoutes {
  const faults: string[] = [];
  const prove = ({ method, path }: Route, schema: z.ZodType, value: unknown): void => {
    const sent: unknown = JSON.parse(JSON.stringify(value));
    const parsed = schema.safeParse(sent);
    const where = `${method.toUpperCase()} ${path}`;
    if (!parsed.success)
      faults.push(`${where}: ${parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ")}`);
    else if (!isDeepStrictEqual(JSON.parse(JSON.stringify(parsed.data)), sent))
      faults.push(`${where}: the schema does not name all of ${JSON.stringify(sent).slice(0, 500)}`);
  };
  const proven = (route: Route): Route => ({
    ...route,
    async handle(request): Promise<RouteResponse> {
      const reply = await route.handle(request);
      const { success } = route;
      if (reply.kind === "json" && reply.status === success.status && "schema" in success) prove(route, success.schema, reply.body);
      if (reply.kind === "json" && reply.status !== success.status) prove(route, failureSchema(route, reply.status), reply.body);
      if (reply.kind !== "events" || !("events" in success)) return reply;
      const { events } = success;
      async function* eachProven(all: typeof reply & { kind: "events" }) {
        for await (const one of all.events) {
          prove(route, events, { event: one.event, data: one.data });
          yield one;
        }
      }
      return { kind: "events", events: eachProven(reply) };
    },
  });
  return { routes: routes.map(proven), faults };
}

/** Of a failure that the route does not announce no body is accepted. */
function failureSchema({ failures }: Route, status: number): z.ZodType {
  return failures?.answers[status]?.schema ?? z.never();
}
