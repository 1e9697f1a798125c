import { auditedFreezes } from "../audit/audited.ts";
import { createFreezeService } from "../freeze/create-freeze-service.ts";
import type { FreezeService } from "../freeze/freeze-service.ts";
import { createFreezeRoutes } from "../freeze/routes.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** The kill switch over HTTP; readiness reads the desk. */
export function registerFreeze(
  { freezes, freezeFile, clock, log }: Runtime,
  { audit }: Pick<ServerShared, "audit">,
): Registration & { readonly freezeService: FreezeService } {
  const freezeService = createFreezeService(freezes, freezeFile, log);
  return { freezeService, routes: createFreezeRoutes({ freezeService: auditedFreezes(freezeService, { audit, clock }), clock }) };
}
