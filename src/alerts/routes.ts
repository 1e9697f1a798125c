import { z } from "zod";
import { decisionKinds, explainedDecisionSchema } from "../../packages/sdk/src/wire/alerts.ts";
import { pageSchema } from "../../packages/sdk/src/wire/page.ts";
import { instantQuery } from "../platform/http/instant.ts";
import { viewers } from "../platform/http/roles.ts";
import { defineRoute, json, noBody, problem, type Route } from "../platform/http/route.ts";
import type { DecisionFilter, DecisionLog } from "./decision-log.ts";
import { explainDecision } from "./explain-decision.ts";
import { notificationCaps } from "./notification.ts";

const name = z.string().min(1).max(256);

const query = z.strictObject({
  fingerprint: z.string().min(1).max(notificationCaps.fingerprintCharacters).optional(),
  alert: name.optional(),
  runbook: name.optional(),
  decision: z.enum(decisionKinds).optional(),
  since: instantQuery.optional(),
  until: instantQuery.optional(),
  cursor: z.string().min(1).max(512).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** Where an alert went, and why. */
export function createDecisionRoutes(decisions: Pick<DecisionLog, "list">): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/decisions",
      summary:
        "What was decided about alerts and why, newest first, by page: about one alert by its fingerprint or name, for one runbook, of one kind, of a time",
      allow: viewers,
      query,
      body: noBody,
      success: {
        status: 200,
        description:
          "`items` say why something ran or nothing did, and what would change it; a decision that repeats the last one about its alert is counted. `nextCursor` asks for the next page and is absent on the last",
        schema: pageSchema(explainedDecisionSchema),
      },
      async handle({ query: { fingerprint, alert, runbook, decision, since, until, cursor, limit } }) {
        const filter: DecisionFilter = {
          ...(fingerprint !== undefined && { fingerprint }),
          ...(alert !== undefined && { alertName: alert }),
          ...(runbook !== undefined && { runbook }),
          ...(decision !== undefined && { decision }),
          ...(since !== undefined && { since }),
          ...(until !== undefined && { until }),
        };
        const page = await decisions.list(filter, cursor === undefined ? { limit } : { cursor, limit });
        if (page === undefined) return problem("invalid-request", "The cursor is not one that this list has given out.");
        return json({ ...page, items: page.items.map((item) => ({ ...item, ...explainDecision(item) })) });
      },
    }),
  ];
}
