import type { ModelRoute } from "../../packages/sdk/src/wire/routing.ts";
import type { UsageEvent } from "../../packages/sdk/src/wire/usage.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { dayMs, hourMs } from "../core/duration.ts";
import type { PrefixSample } from "../core/prefix-sample.ts";
import { createTextPool } from "../core/text-pool.ts";
import type { BudgetLedger } from "../llm/budgets/budget-ledger.ts";
import {
  countNewTickets,
  describeUse,
  isAnsweredBy,
  type RouteEvent,
  type RouteHistory,
  requestsOfRoute,
  ticketsOf,
} from "../llm/models/route-history.ts";
import type { TicketStore } from "../llm/tickets/ticket.ts";
import type { PrefixSampleStore } from "../llm/usage/prefix-samples.ts";

/** How far back is looked, as far as events are kept, and how many prompts are. */
const historyMs = 30 * dayMs;
const samplesRead = 200;
/** Tickets whose kind is asked for at once. */
const chunk = 100;
/** Usage events that one question reads: a few seconds, and 150 MB when all of them are of one model. */
export const maxHistoryEvents = 500_000;

/** Where the history of routes is read from. */
export interface RouteHistorySources {
  readonly ledger: Pick<BudgetLedger, "usageKept" | "usagePages">;
  readonly tickets: Pick<TicketStore, "get">;
  readonly clock: Pick<Clock, "now">;
  /** A demo's factor; 1 otherwise. */
  readonly timeFactor: number;
}

/** What routes have done, from the usage that was reported. `maxEvents` is at least 1. */
export function openRouteHistory(
  { ledger, tickets, clock, timeFactor }: RouteHistorySources,
  samples: Pick<PrefixSampleStore, "groups" | "read">,
  maxEvents = maxHistoryEvents,
): RouteHistory {
  const eventsOf = async (route: ModelRoute) => {
    const end = clock.now() + 1;
    const from = end - 1 - historyMs;
    let start = from;
    let { count, complete } = await ledger.usageKept(start, end);
    // Half of the time costs one look at an index; it is rarely needed twice.
    while (count > maxEvents) {
      start = Math.ceil((start + end) / 2);
      ({ count, complete } = await ledger.usageKept(start, end));
    }
    const { events, first } = await readEvents(ledger.usagePages(start, end), (event) => isAnsweredBy(event, route.baseline));
    const since = complete ? start : (first ?? end);
    return { events: requestsOfRoute(events, route), ...(since > from && { since }) };
  };
  const samplesOf = async (promptNames: ReadonlySet<string>, { provider }: ModelRoute["baseline"]): Promise<readonly PrefixSample[]> => {
    const groups = (await samples.groups()).filter((group) => group.provider === provider && promptNames.has(group.prompt));
    const read = await Promise.all(groups.map(async (group) => samples.read(group, samplesRead)));
    return read.flat();
  };
  const kindsOf = async (ids: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    const kinds = new Map<string, string>();
    for (let at = 0; at < ids.length; at += chunk) {
      const answers = await Promise.all(ids.slice(at, at + chunk).map(async (id) => tickets.get(id)));
      for (const ticket of answers) if (ticket !== undefined) kinds.set(ticket.id, ticket.kind);
    }
    return kinds;
  };
  return {
    async use(route) {
      const { events, ...reach } = await eventsOf(route);
      return { ...describeUse(events, await samplesOf(new Set(events.map(({ prompt }) => prompt)), route.baseline)), ...reach };
    },
    async newTickets({ id }, model, since) {
      const end = clock.now() + 1;
      const from = Math.min(since, end - 1) - hourMs;
      const { count, complete } = await ledger.usageKept(from, end);
      if (!complete) return { kind: "unseen", why: "not_kept" };
      if (count > maxEvents) return { kind: "unseen", why: "too_many_events" };
      const { events } = await readEvents(ledger.usagePages(from, end), () => true);
      const counted = countNewTickets(events, { id, model }, since);
      return counted === undefined ? { kind: "unseen", why: "not_reported" } : { kind: "counted", tickets: counted };
    },
    async tickets(route) {
      const { events, ...reach } = await eventsOf(route);
      const kinds = await kindsOf([...new Set(events.map(({ ticketId }) => ticketId))]);
      return { tickets: ticketsOf(events, { endedBefore: clock.now() - hourMs / timeFactor, kinds }), ...reach };
    },
  };
}

/** What is wanted of pages, with each text kept once, and the time of the first event of all. */
async function readEvents(
  pages: AsyncIterable<readonly UsageEvent[]>,
  isWanted: (event: UsageEvent) => boolean,
): Promise<{ readonly events: readonly RouteEvent[]; readonly first?: Instant }> {
  const once = createTextPool();
  const events: RouteEvent[] = [];
  let first: Instant | undefined;
  for await (const page of pages) {
    first ??= page[0]?.at;
    for (const event of page) {
      if (!isWanted(event)) continue;
      const { at, costMicroUsd, tokens, requestModel, repo, serviceTier } = event;
      events.push({
        at,
        costMicroUsd,
        tokens,
        provider: once(event.provider),
        model: once(event.model),
        prompt: once(event.prompt),
        operation: once(event.operation),
        ticketId: once(event.ticketId),
        ...(requestModel !== undefined && { requestModel: once(requestModel) }),
        ...(repo !== undefined && { repo: once(repo) }),
        ...(serviceTier !== undefined && { serviceTier: once(serviceTier) }),
      });
    }
  }
  return { events, ...(first !== undefined && { first }) };
}
