import { type ModelDescription, routeListSchema } from "../../../packages/sdk/src/wire/models.ts";
import { type ModelRoute, modelRouteSchema, routeChangeSchema, routeIdSchema } from "../../../packages/sdk/src/wire/routing.ts";
import type { AuditLog } from "../../core/audit.ts";
import type { Clock } from "../../core/clock.ts";
import { operators, viewers } from "../../platform/http/roles.ts";
import { defineRoute, issuesOf, json, noBody, noQuery, problem, type Refusal, type Route } from "../../platform/http/route.ts";
import type { FollowerBook } from "../rollouts/followers.ts";
import { type FindLiveRollout, refuseManualChange } from "../rollouts/refuse-manual-change.ts";
import { hasTargets, type ModelRoutingStore, routeDocument, servedRoute } from "./model-route.ts";

/** What the routes of models need. */
export interface ModelRouteDeps {
  readonly routes: ModelRoutingStore;
  /** What is known of every model that the routes name, each once. */
  readonly models: (routes: readonly ModelRoute[]) => Promise<readonly ModelDescription[]>;
  readonly audit: AuditLog;
  readonly clock: Pick<Clock, "now">;
  /** Where it is noted which processes follow a route. Its `record` does not reject. */
  readonly followers: Pick<FollowerBook, "record">;
  /** A route with a live rollout is not set by hand, but for its fallbacks. */
  readonly liveRollout: FindLiveRollout;
}

/** Routes: which model the tickets of one kind of work get. */
export function createRoutingRoutes({ routes, models, audit, clock, followers, liveRollout }: ModelRouteDeps): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/routes",
      summary: "Every route: the model of its tickets, the one on trial with its share, and the fallbacks",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: {
        status: 200,
        description: "`items` are routes, by id; `models` is what is known of their models",
        schema: routeListSchema,
      },
      async handle() {
        const items = await routes.list();
        return json({ items, models: await models(items) });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/routes/{id}",
      summary: "One route, as applications follow it; carries an entity tag",
      allow: [...viewers, "workload"],
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The route", schema: modelRouteSchema },
      revalidates: true,
      problems: ["not-found"],
      async handle({ params, ifNoneMatch, follower }) {
        const id = params["id"] ?? "";
        const route = await routes.read(id);
        if (route === undefined) return noRoute(id);
        if (follower !== undefined) await followers.record({ document: routeDocument(id), instance: follower, tag: ifNoneMatch });
        const { document, tag: etag } = servedRoute(route, clock.now());
        return ifNoneMatch === etag ? { kind: "unchanged", headers: { etag } } : json(document, { etag });
      },
    }),
    defineRoute({
      method: "put",
      path: "/api/routes/{id}",
      summary: "Set where a route goes, from the version that was read; tickets keep the model that they began with",
      allow: operators,
      query: noQuery,
      body: routeChangeSchema,
      success: { status: 200, description: "The route as it is now", schema: modelRouteSchema },
      problems: ["conflict"],
      async handle({ params, body, caller }) {
        const id = routeIdSchema.safeParse(params["id"]);
        if (!id.success) return problem("invalid-request", "The route's id is not accepted.", issuesOf(id.error));
        const { expected, reason, ...targets } = body;
        const record = async (reply: string) =>
          audit.append({
            at: clock.now(),
            kind: "route_set",
            by: caller.name,
            subject: `route/${id.data}`,
            detail: { ...body, reply },
          });
        const present = await routes.read(id.data);
        const setsTrial = present === undefined || !hasTargets({ ...present, fallback: targets.fallback }, targets);
        const refusal = setsTrial ? await refuseManualChange(liveRollout, routeDocument(id.data)) : undefined;
        if (refusal !== undefined) {
          await record("live_rollout");
          return problem("conflict", refusal);
        }
        const result = await routes.set({ id: id.data, expected, targets, by: caller.name, reason });
        const { kind } = result;
        await record(kind);
        if (result.kind === "set") return json(result.route);
        const found =
          result.route === undefined ? "there is no such route" : `it has version ${result.route.version}, by ${result.route.by}`;
        return problem("conflict", `The route is not what was read: ${found}. Read it again and decide.`);
      },
    }),
  ];
}

function noRoute(id: string): Refusal {
  return problem("not-found", `There is no route ${JSON.stringify(id.slice(0, 60))}; GET /api/routes lists them.`);
}
