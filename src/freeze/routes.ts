import { z } from "zod";
import { type Freeze, freezeSchema, freezeScopeSchema, liftedFreezeSchema, newFreezeSchema } from "../../packages/sdk/src/wire/freezes.ts";
import { listSchema } from "../../packages/sdk/src/wire/page.ts";
import type { Clock } from "../core/clock.ts";
import { canonicalScope } from "../core/freeze.ts";
import { admins, operators, viewers } from "../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, problem, type Route } from "../platform/http/route.ts";
import type { FreezeService } from "./freeze-service.ts";

/** Routes of the kill switch. A role that may start runs may stop all of them; only operators let them go on. */
export function createFreezeRoutes({
  freezeService,
  clock,
}: {
  readonly freezeService: FreezeService;
  readonly clock: Clock;
}): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/freeze",
      summary: "Every freeze that stands, with who set it and why",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: {
        status: 200,
        description: "`items` are freezes, oldest first; that of the freeze file is the last one",
        schema: listSchema(freezeSchema),
      },
      handle: async () => json({ items: await freezeService.list() }),
    }),
    defineRoute({
      method: "put",
      path: "/api/freeze",
      summary: "Freeze a scope: no effect in it begins and no run of it starts until the freeze is lifted",
      allow: operators,
      stops: true,
      query: noQuery,
      body: newFreezeSchema,
      success: { status: 200, description: "The freeze as it stands", schema: freezeSchema },
      async handle({ body, caller }) {
        const freeze: Freeze = { ...body, scope: canonicalScope(body.scope), by: caller.name, at: clock.now() };
        await freezeService.put(freeze);
        return json(freeze);
      },
    }),
    defineRoute({
      method: "delete",
      path: "/api/freeze",
      summary: "Lift the freeze of one scope; runs that it held back go on",
      allow: admins,
      query: z.strictObject({ scope: freezeScopeSchema }),
      body: noBody,
      success: { status: 200, description: "`scope` was lifted; `items` are the freezes that still stand", schema: liftedFreezeSchema },
      problems: ["not-found"],
      async handle({ query, caller }) {
        if (!(await freezeService.remove(query.scope, caller.name)))
          return problem(
            "not-found",
            `There is no freeze of ${query.scope}; GET /api/freeze lists them. That of a file ends with the file.`,
          );
        return json({ scope: query.scope, items: await freezeService.list() });
      },
    }),
  ];
}
