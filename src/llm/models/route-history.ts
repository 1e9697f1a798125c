import type { ModelFeature } from "../../../packages/sdk/src/wire/models.ts";
import type { ModelRef, ModelRoute } from "../../../packages/sdk/src/wire/routing.ts";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import { StepFailure } from "../../core/failure.ts";
import type { MicroUsd } from "../../core/money.ts";
import type { PrefixSample } from "../../core/prefix-sample.ts";
import { isSameModel } from "../usage/price-table.ts";
import { inputTokens, writtenTokens } from "../usage/token-partition.ts";

/** What the history of a route needs of a usage event. */
export type RouteEvent = Pick<
  UsageEvent,
  "at" | "provider" | "model" | "requestModel" | "prompt" | "operation" | "ticketId" | "repo" | "costMicroUsd" | "serviceTier" | "tokens"
>;

/** What the requests of a route use of their model. */
export interface RouteUse extends HistoryReach {
  /** Requests that were looked at. */
  readonly requests: number;
  readonly features: readonly ModelFeature[];
  /** Tokens of the largest prompt with its answer. */
  readonly largestTokens: number;
}

/** How far back was looked. */
export interface HistoryReach {
  /** Requests that ended earlier were not looked at, UTC ms; absent when all of the last thirty days were. */
  readonly since?: Instant;
}

/** A ticket that a route has sent to its model. */
export interface PastTicket {
  readonly id: string;
  readonly kind: string;
  /** Empty when none was reported. */
  readonly repository: string;
  /** Of all attempts that are still known. */
  readonly costMicroUsd: MicroUsd;
}

/** Past tickets by id. */
export interface PastTickets extends HistoryReach {
  readonly tickets: readonly PastTicket[];
}

/**
 * Why new tickets cannot be counted: no request to the model was reported in the hour before, not every event of that time is kept, or there are more than
 * are read for one question.
 */
export type UnseenTickets = "not_reported" | "not_kept" | "too_many_events";

/** How many new tickets a model got, or why that cannot be said. */
export type NewTicketCount =
  | { readonly kind: "counted"; readonly tickets: number }
  | { readonly kind: "unseen"; readonly why: UnseenTickets };

/** What a route has done so far. Each member rejects with StoreUnavailable when a store does not answer. */
export interface RouteHistory {
  use(route: ModelRoute): Promise<RouteUse>;
  /** Tickets of the route whose first request ended at or after `since`, UTC ms, and went to this model. */
  newTickets(route: ModelRoute, model: ModelRef, since: Instant): Promise<NewTicketCount>;
  /** Tickets whose last request is at least an hour old. */
  tickets(route: ModelRoute): Promise<PastTickets>;
}

/** The kind of tickets that repeat another one in an evaluation; they are no work of their own. */
export const evaluationKind = "evaluation";

/** Reads the one route that has this id. */
export interface RouteReader {
  read(id: string): Promise<ModelRoute | undefined>;
}

/** The route; throws StepFailure when there is none. */
export async function readRoute(routes: RouteReader, id: string): Promise<ModelRoute> {
  const route = await routes.read(id);
  if (route !== undefined) return route;
  throw new StepFailure({ reason: "refused_by_target", message: `There is no route ${id}; GET /api/routes lists them.`, applied: "no" });
}

/**
 * The requests that the route's model has answered for it. A route is called after a prompt or an operation; where no request is, all requests of the model
 * are meant, which asks more of a candidate and never less.
 */
export function requestsOfRoute<Event extends RouteEvent>(
  events: readonly Event[],
  { id, baseline }: Pick<ModelRoute, "id" | "baseline">,
): readonly Event[] {
  const ofModel = events.filter((event) => isAnsweredBy(event, baseline));
  return namedAfter(ofModel, id);
}

/** Whether a request was answered by this model, or was sent to it. */
export function isAnsweredBy(event: Pick<RouteEvent, "provider" | "model" | "requestModel">, { provider, model }: ModelRef): boolean {
  return event.provider === provider && (isSameModel(model, event.model) || event.requestModel === model);
}

/** Tickets of a route whose first event is at or after `since` and of the model; undefined when no earlier one shows that the route's use of it is reported. */
export function countNewTickets(
  events: readonly RouteEvent[],
  { id, model }: { readonly id: string; readonly model: ModelRef },
  since: Instant,
): number | undefined {
  const ofRoute = namedAfter(events, id);
  const first = new Map<string, RouteEvent>();
  for (const event of ofRoute) {
    const before = first.get(event.ticketId);
    if (before === undefined || event.at < before.at) first.set(event.ticketId, event);
  }
  if (!ofRoute.some((event) => event.at < since && isAnsweredBy(event, model))) return undefined;
  return [...first.values()].filter((event) => event.at >= since && isAnsweredBy(event, model)).length;
}

/** Requests of the prompt or operation that a route is called after; all of them where none is. */
function namedAfter<Event extends RouteEvent>(events: readonly Event[], id: string): readonly Event[] {
  const named = events.filter(({ prompt, operation }) => prompt === id || operation === id);
  return named.length > 0 ? named : events;
}

/** What these requests use. `samples` are their prompts, as far as they were reported. */
export function describeUse(events: readonly RouteEvent[], samples: readonly PrefixSample[]): RouteUse {
  const blocks = samples.flatMap((sample) => sample.blocks);
  const has = (...kinds: readonly string[]) => blocks.some(({ kind }) => kinds.includes(kind));
  const isUsed: { readonly [Feature in ModelFeature]: boolean } = {
    tools: has("tool_use", "tool_result") || blocks.some(({ role }) => role === "tools"),
    thinking: has("thinking", "redacted_thinking", "reasoning") || events.some(({ tokens }) => tokens.reasoning > 0),
    caching: blocks.some(({ mark }) => mark !== undefined) || events.some(({ tokens }) => tokens.read + writtenTokens(tokens) > 0),
    batch: events.some(({ serviceTier }) => serviceTier === "batch"),
    images: has("image", "image_url", "input_image"),
    documents: has("document", "file", "input_file"),
    // Its schema is no part of a prompt; what asks for it cannot be seen.
    structured_outputs: false,
  };
  const features: readonly ModelFeature[] = ["tools", "thinking", "caching", "batch", "images", "documents"];
  return {
    requests: events.length,
    features: features.filter((feature) => isUsed[feature]),
    largestTokens: events.reduce((largest, { tokens }) => Math.max(largest, inputTokens(tokens) + tokens.output), 0),
  };
}

/** The tickets of these requests, by id, without those that may still be worked on or are trials of an evaluation. `kinds` names the kind of tickets that are known here. */
export function ticketsOf(
  events: readonly RouteEvent[],
  { endedBefore, kinds }: { readonly endedBefore: Instant; readonly kinds: ReadonlyMap<string, string> },
): readonly PastTicket[] {
  const tickets = new Map<string, PastTicket & { readonly last: Instant }>();
  for (const { ticketId: id, operation, repo = "", costMicroUsd, at } of events) {
    const before = tickets.get(id);
    tickets.set(id, {
      id,
      kind: kinds.get(id) ?? before?.kind ?? operation,
      repository: before === undefined || before.repository === "" ? repo : before.repository,
      costMicroUsd: (before?.costMicroUsd ?? 0) + costMicroUsd,
      last: Math.max(before?.last ?? at, at),
    });
  }
  return [...tickets.values()]
    .filter(({ last, kind }) => last < endedBefore && kind !== evaluationKind)
    .map(({ last: _last, ...ticket }) => ticket)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
