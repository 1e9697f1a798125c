import { listSchema } from "../../../packages/sdk/src/wire/page.ts";
import { type HealthCheck, healthCheckSchema } from "../../../packages/sdk/src/wire/service.ts";
import { viewers } from "./roles.ts";
import { defineRoute, json, noBody, noQuery, type Route } from "./route.ts";

/** How the installation does; `checks` never rejects and answers within a few seconds. */
export function createHealthRoutes(checks: () => Promise<readonly HealthCheck[]>): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/health",
      summary: "How Redis, the runs that are due, the watchdog, Prometheus and the Alertmanagers do, as of at most ten seconds ago",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "`items` say what was measured, or what is wrong", schema: listSchema(healthCheckSchema) },
      handle: async () => json({ items: await checks() }),
    }),
  ];
}
