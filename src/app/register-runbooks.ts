import { createDocumentRoutes } from "../runbooks/document-routes.ts";
import { createRunbookRoutes } from "../runbooks/routes.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** The running set of runbooks, over HTTP. */
export function registerRunbooks({ library, metrics }: Runtime, { trees }: ServerShared): Registration {
  metrics.initializeRunbooks(library.list().map(({ id }) => id));
  return { routes: [...createRunbookRoutes(library), ...createDocumentRoutes(library, trees)] };
}
