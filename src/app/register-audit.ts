import { createAuditReader } from "../audit/redis-audit-reader.ts";
import { createAuditRoutes } from "../audit/routes.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** The record of what people did. */
export function registerAudit({ clock }: Runtime, { redis }: Pick<ServerShared, "redis">): Registration {
  return { routes: createAuditRoutes(createAuditReader(redis, () => clock.now())) };
}
