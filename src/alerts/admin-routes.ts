import { rejectedNotificationSchema } from "../../packages/sdk/src/wire/alerts.ts";
import { listSchema } from "../../packages/sdk/src/wire/page.ts";
import { admins } from "../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, type Route } from "../platform/http/route.ts";
import type { RejectedSamples } from "./rejected-samples.ts";

/** What the people who look after runbookd itself may see. */
export function createAdminRoutes(samples: RejectedSamples): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/rejected-notifications",
      summary: "The newest notifications that were refused, redacted and cut, newest first; since this process began",
      allow: admins,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "`items` say when, why and how the body began", schema: listSchema(rejectedNotificationSchema) },
      handle: async () => json({ items: samples.list() }),
    }),
  ];
}
