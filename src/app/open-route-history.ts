import type { ModelRoute } from "../../packages/sdk/src/wire/routing.ts";
import type { Clock } from "../core/clock.ts";
import { dayMs, hourMs } from "../core/duration.ts";
import type { PrefixSample } from "../core/prefix-sample.ts";
import type { BudgetLedger } from "../llm/budgets/budget-ledger.ts";
import { countNewTickets, describeUse, type RouteHistory, requestsOfRoute, ticketsOf } from "../llm/models/route-history.ts";
import type { TicketStore } from "../llm/tickets/ticket.ts";
import type { PrefixSampleStore } from "../llm/usage/prefix-samples.ts";

/** How far back is looked, as far as events are kept, and how many prompts are. */
const historyMs = 30 * dayMs;
const samplesRead = 200;
/** Tickets whose kind is asked for at once. */
const chunk = 100;

/** Where the history of routes is read from. */
export interface RouteHistorySources {
  readonly ledger: Pick<BudgetLedger, "usageBetween">;
  readonly tickets: Pick<TicketStore, "get">;
  readonly clock: Pick<Clock, "now">;
  /** A demo's factor; 1 otherwise. */
  readonly timeFactor: number;
}

/** What routes have done, from the usage that was reported. */
export function openRouteHistory(
  { ledger, tickets, clock, timeFactor }: RouteHistorySources,
  samples: Pick<PrefixSampleStore, "groups" | "read">,
): RouteHistory {
  const eventsOf = async (route: ModelRoute) => {
    const now = clock.now();
    const { events } = await ledger.usageBetween(now - historyMs, now + 1);
    return requestsOfRoute(events, route);
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
      const events = await eventsOf(route);
      return describeUse(events, await samplesOf(new Set(events.map(({ prompt }) => prompt)), route.baseline));
    },
    async newTickets({ id }, model, since) {
      const now = clock.now();
      const { events, complete } = await ledger.usageBetween(Math.min(since, now) - hourMs, now + 1);
      return complete ? countNewTickets(events, { id, model }, since) : undefined;
    },
    async tickets(route) {
      const events = await eventsOf(route);
      const kinds = await kindsOf([...new Set(events.map(({ ticketId }) => ticketId))]);
      return ticketsOf(events, { endedBefore: clock.now() - hourMs / timeFactor, kinds });
    },
  };
}
