import { assignModel, type RouteAssignment } from "./assignment.ts";
import type { Clock } from "./clock.ts";
import type { Http } from "./http.ts";
import { createAssignmentCache } from "./kept-assignments.ts";
import { createServedDocuments } from "./served-documents.ts";
import type { TicketRollouts } from "./ticket-rollouts.ts";
import { type ModelRef, modelRouteSchema, type RouteTargets } from "./wire/routing.ts";
import { tolerant } from "./wire/tolerant.ts";

/** Told when a route in use changes, after the first time it was read. */
export interface RouteChanged {
  readonly route: string;
  readonly before: RouteTargets;
  readonly after: RouteTargets;
}

/** The model of one ticket; `variant` goes into its usage reports and its release, `fallback` is tried in order when the provider is away. */
export interface TicketRoute extends RouteAssignment {
  readonly fallback: readonly ModelRef[];
}

/** Routes as runbookd serves them. */
export interface RouteSource {
  /**
   * The ticket's model: assigned at the first call, and kept for as long as this process lives. `begun` is what the ticket's saved work names, its
   * rollout included; it is used before anything else. Rejects with Unreachable when runbookd cannot be asked and nothing of the route is known yet, with Refused when it has no such route.
   */
  forTicket(route: string, ticketId: string, begun?: RouteAssignment): Promise<TicketRoute>;
  /** Stops asking for changes. */
  close(): void;
}

const readRoute = tolerant(modelRouteSchema);

/** Assigns models from what is served; see {@link createServedDocuments}. */
export function createRouteSource(deps: {
  readonly http: Http;
  readonly clock: Clock;
  readonly everyMs: number;
  readonly onChanged: (change: RouteChanged) => void;
  readonly rollouts: Pick<TicketRollouts, "remember">;
}): RouteSource {
  const documents = createServedDocuments<RouteTargets>(
    {
      path: (route) => `/api/routes/${encodeURIComponent(route)}`,
      parse: (body) => readRoute.parse(body),
      missing: (route) => `runbookd has no route ${route}.`,
      onChanged: (route, before, after) => deps.onChanged({ route, before, after }),
    },
    deps,
  );
  const assignments = createAssignmentCache<RouteAssignment>();
  return {
    async forTicket(route, ticketId, begun) {
      const targets = await documents.of(route);
      const assignment = assignments.of(route, ticketId, { given: begun, fresh: () => assignModel(targets, ticketId) });
      if (assignment.rollout !== undefined) deps.rollouts.remember(ticketId, assignment.rollout);
      return { ...assignment, fallback: targets.fallback.map(({ provider, model }) => ({ provider, model })) };
    },
    close: () => documents.close(),
  };
}
