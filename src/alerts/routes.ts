import { z } from "zod";
import { decisionKinds, recentDecisionSchema } from "../../packages/sdk/src/wire/alerts.ts";
import { listSchema } from "../../packages/sdk/src/wire/page.ts";
import { viewers } from "../platform/http/roles.ts";
import { defineRoute, json, noBody, type Route } from "../platform/http/route.ts";
import { notificationCaps } from "./notification.ts";
import type { RecentDecisions } from "./recent-decisions.ts";

const query = z.strictObject({
  fingerprint: z.string().min(1).max(notificationCaps.fingerprintCharacters).optional(),
  decision: z.enum(decisionKinds).optional(),
});

/** Where an alert went. */
export function createDecisionRoutes(decisions: RecentDecisions): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/decisions",
      summary: "What was decided lately: about one alert by its fingerprint, and of one kind, such as what could not be read",
      allow: viewers,
      query,
      body: noBody,
      success: {
        status: 200,
        description:
          "`items` are the newest decisions of this process, at most 200, newest first; empty when the alert did not come by here",
        schema: listSchema(recentDecisionSchema),
      },
      handle: async ({ query: filter }) => json({ items: decisions.newest(filter) }),
    }),
  ];
}
