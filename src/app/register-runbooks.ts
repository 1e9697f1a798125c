import { createRunbookRoutes } from "../runbooks/routes.ts";
import type { Registration } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** The running set of runbooks, over HTTP. */
export function registerRunbooks({ library, metrics }: Runtime): Registration {
  metrics.initializeRunbooks(library.list().map(({ id }) => id));
  return { routes: createRunbookRoutes(library) };
}
