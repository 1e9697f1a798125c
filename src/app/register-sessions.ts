import { createSessions, type Sessions } from "../platform/http/redis-sessions.ts";
import { createSessionRoutes } from "../platform/http/session-routes.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Sessions of browsers. */
export function registerSessions(
  { clock, random }: Runtime,
  { redis }: Pick<ServerShared, "redis">,
): Registration & { readonly sessions: Sessions } {
  const sessions = createSessions({ redis, clock, random });
  return { routes: createSessionRoutes(sessions), sessions };
}
