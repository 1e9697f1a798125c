import { auditedFreezes } from "../audit/audited.ts";
import { createFreezeDesk } from "../freeze/create-freeze-desk.ts";
import type { FreezeDesk } from "../freeze/freeze-desk.ts";
import { createFreezeRoutes } from "../freeze/routes.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** The kill switch over HTTP; readiness reads the desk. */
export function registerFreeze(
  { freezes, freezeFile, clock, log }: Runtime,
  { audit }: Pick<ServerShared, "audit">,
): Registration & { readonly desk: FreezeDesk } {
  const desk = createFreezeDesk(freezes, freezeFile, log);
  return { desk, routes: createFreezeRoutes({ desk: auditedFreezes(desk, { audit, clock }), clock }) };
}
