import type { Redis } from "ioredis";
import { z } from "zod";
import { type ModelRoute, routeTargetsSchema } from "../../../packages/sdk/src/wire/routing.ts";
import type { Clock } from "../../core/clock.ts";
import { available } from "../../platform/redis/available.ts";
import { resultList } from "../../platform/redis/script.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { hasTargets, type ModelRoutingStore } from "./model-route.ts";
import { setRoute } from "./redis-scripts.ts";

const stored = routeTargetsSchema.extend({ at: z.number(), by: z.string(), reason: z.string() });

/** Routes in one hash. Rejects with StoreUnavailable when Redis does not answer. */
export function createModelRoutingStore({
  redis,
  clock,
}: {
  readonly redis: Redis;
  readonly clock: Pick<Clock, "now">;
}): ModelRoutingStore {
  return {
    read: (id) =>
      available(async () => {
        const text = await redis.hget(keys.modelRoutes, id);
        return text === null ? undefined : parse(id, text);
      }),
    list: () =>
      available(async () => {
        const routes = Object.entries(await redis.hgetall(keys.modelRoutes)).map(([id, text]) => parse(id, text));
        return routes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      }),
    set: ({ id, expected, targets, by, reason }) =>
      available(async () => {
        const record = { ...targets, at: clock.now(), by, reason };
        const version = expected + 1;
        const result = resultList(
          await setRoute.run(redis, {
            keys: { routes: keys.modelRoutes },
            args: { id, expectedVersion: expected, newRoute: `${version} ${JSON.stringify(record)}` },
          }),
        );
        if (result[0] === "set") return { kind: "set", route: { id, version, ...record } };
        const present = String(result[1] ?? "");
        const route = present === "" ? undefined : parse(id, present);
        return route !== undefined && hasTargets(route, targets) ? { kind: "set", route } : { kind: "conflict", route };
      }),
  };
}

function parse(id: string, text: string): ModelRoute {
  const space = text.indexOf(" ");
  return { id, version: Number(text.slice(0, space)), ...stored.parse(JSON.parse(text.slice(space + 1))) };
}
