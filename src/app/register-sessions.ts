import { createSessions, type Sessions } from "../platform/http/redis-sessions.ts";
import { createSessionRoutes, type SessionAct } from "../platform/http/session-routes.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Sessions of browsers. */
export function registerSessions(
  { clock, random }: Runtime,
  { redis, audit }: Pick<ServerShared, "redis" | "audit">,
): Registration & { readonly sessions: Sessions } {
  const sessions = createSessions({ redis, clock, random });
  const record = async ({ kind, by, role }: SessionAct) =>
    audit.append({ at: clock.now(), kind, by, subject: "console", detail: { role } });
  return { routes: createSessionRoutes(sessions, record), sessions };
}
