import { z } from "zod";
import { newChangeSchema, workloadChangeSchema } from "../../../packages/sdk/src/wire/changes.ts";
import { listSchema } from "../../../packages/sdk/src/wire/page.ts";
import type { Clock } from "../../core/clock.ts";
import { instantQuery } from "../../platform/http/instant.ts";
import { operators, viewers } from "../../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, problem, type Route } from "../../platform/http/route.ts";
import type { ChangeLog } from "./change-log.ts";

const window = z.strictObject({
  from: instantQuery.default(0),
  to: instantQuery.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
const aheadMs = 300_000;

/** Routes of changes of the workload: the system that changes something reports it, and it is shown beside the rise of cost that it coincides with. */
export function createChangeRoutes({
  changes,
  clock,
}: {
  readonly changes: ChangeLog;
  readonly clock: Pick<Clock, "now">;
}): readonly Route[] {
  return [
    defineRoute({
      method: "post",
      path: "/api/changes",
      summary: "Tell a change of the workload, such as a release or a route; the same change again is one",
      allow: [...operators, "workload"],
      query: noQuery,
      body: newChangeSchema,
      success: { status: 201, description: "The change with its time and who told it", schema: workloadChangeSchema },
      async handle({ body, caller }) {
        const now = clock.now();
        const at = body.at ?? now;
        if (at > now + aheadMs) return problem("invalid-request", "at: a change is told when it is made, at most five minutes ahead.");
        const change = { ...body, at, by: caller.name };
        await changes.record(change);
        return json(change);
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/changes",
      summary: "Changes of the workload: the newest `limit` of a window, oldest first",
      allow: viewers,
      query: window,
      body: noBody,
      success: { status: 200, description: "`items` are changes", schema: listSchema(workloadChangeSchema) },
      handle: async ({ query: { from, to, limit } }) => json({ items: await changes.between(from, to ?? clock.now() + aheadMs, limit) }),
    }),
  ];
}
