import { describe, expect, it } from "@jest/globals";
import { newTicketSchema } from "../../packages/sdk/src/wire/tickets.ts";
import type { UsageEvent } from "../../packages/sdk/src/wire/usage.ts";
import { aPrefixSample } from "../../test/builders/a-prefix-sample.ts";
import { aUsageEvent } from "../../test/builders/a-usage-report.ts";
import { someTargets } from "../../test/contracts/describe-model-routes.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryPrefixSamples } from "../../test/fakes/memory-prefix-samples.ts";
import { createMemoryTickets } from "../../test/fakes/memory-tickets.ts";
import { dayMs, hourMs } from "../core/duration.ts";
import type { BudgetLedger } from "../llm/budgets/budget-ledger.ts";
import { openRouteHistory } from "./open-route-history.ts";

it("knows from the usage what a route's requests use and which tickets they worked on, by their kind", async () => {
  const clock = createFakeClock();
  const now = clock.now();
  const events = [
    aUsageEvent({ id: "r-1", prompt: "implement", ticketId: "T-1", repo: "shop" }, now - 2 * hourMs),
    aUsageEvent({ id: "r-2", prompt: "implement", ticketId: "T-2" }, now - 2 * hourMs),
    aUsageEvent({ id: "r-3", prompt: "implement", ticketId: "T-3" }, now),
    aUsageEvent({ id: "r-4", prompt: "review", ticketId: "T-4" }, now - 2 * hourMs),
  ];
  const tickets = createMemoryTickets(clock);
  await tickets.add(newTicketSchema.parse({ id: "T-1", budget: "checkout", kind: "bug" }));
  const samples = createMemoryPrefixSamples();
  const block = { hash: "0".repeat(16), tokens: 1 };
  await samples.add([
    aPrefixSample({ id: "p-1", blocks: [{ ...block, role: "tools", kind: "tool" }] }),
    aPrefixSample({ id: "p-2", prompt: "review", blocks: [{ ...block, role: "user", kind: "image" }] }),
    aPrefixSample({ id: "p-3", provider: "openai", blocks: [{ ...block, role: "user", kind: "document" }] }),
  ]);
  const history = openRouteHistory(
    {
      ledger: keptUsage(events),
      tickets,
      clock,
      timeFactor: 1,
    },
    samples,
  );
  const route = { ...someTargets(), id: "implement", version: 1, at: now, by: "ada", reason: "" };
  expect(await history.use(route)).toEqual({ requests: 3, features: ["tools"], largestTokens: 1000 });
  expect(await history.tickets(route)).toEqual({
    tickets: [
      { id: "T-1", kind: "bug", repository: "shop", costMicroUsd: 3000 },
      { id: "T-2", kind: "plan", repository: "", costMicroUsd: 3000 },
    ],
  });
});

describe("a history of more than is read for one question", () => {
  const clock = createFakeClock();
  const now = clock.now();
  const route = { ...someTargets(), id: "implement", version: 1, at: now, by: "ada", reason: "" };
  const days = [40, 29, 20, 10, 3, 2, 1];
  const events = days.map((day) => aUsageEvent({ id: `r-${day}`, prompt: "implement", ticketId: `T-${day}` }, now - day * dayMs));
  const historyOf = (ledger: ReturnType<typeof keptUsage>, maxEvents?: number) =>
    openRouteHistory({ ledger, tickets: createMemoryTickets(clock), clock, timeFactor: 1 }, createMemoryPrefixSamples(), maxEvents);

  it("is read from its later part, and says from when on", async () => {
    const whole = await historyOf(keptUsage(events), 6).use(route);
    expect(whole).toEqual({ requests: 6, features: [], largestTokens: 1000 });
    const part = historyOf(keptUsage(events), 4);
    const since = now + 1 - (30 * dayMs + 1) / 2;
    expect(await part.use(route)).toMatchObject({ requests: 4, since: Math.ceil(since) });
    const { tickets, since: ticketsSince } = await part.tickets(route);
    expect([tickets.map(({ id }) => id), ticketsSince]).toEqual([["T-1", "T-10", "T-2", "T-3"], Math.ceil(since)]);
  });

  it("says from when on events are kept when the earlier ones were dropped", async () => {
    expect(await historyOf(keptUsage(events.slice(2), false)).use(route)).toMatchObject({ requests: 5, since: now - 20 * dayMs });
    expect(await historyOf(keptUsage([], false)).use(route)).toMatchObject({ requests: 0, since: now + 1 });
  });

  it("ends also when all of it is of one millisecond", async () => {
    const together = [1, 2, 3].map((index) => aUsageEvent({ id: `r-${index}`, prompt: "implement" }, now));
    expect(await historyOf(keptUsage(together), 2).use(route)).toMatchObject({ requests: 0, since: now + 1 });
  });

  it("has no number of new tickets, and says why", async () => {
    const model = route.baseline;
    const since = now - 60_000;
    const recent = [
      aUsageEvent({ id: "before", prompt: "implement", ticketId: "T-1" }, now - 120_000),
      aUsageEvent({ id: "new", prompt: "implement", ticketId: "T-2" }, now - 1000),
    ];
    expect(await historyOf(keptUsage(recent), 2).newTickets(route, model, since)).toEqual({ kind: "counted", tickets: 1 });
    expect(await historyOf(keptUsage(recent), 1).newTickets(route, model, since)).toEqual({ kind: "unseen", why: "too_many_events" });
    expect(await historyOf(keptUsage(recent, false), 2).newTickets(route, model, since)).toEqual({ kind: "unseen", why: "not_kept" });
    expect(await historyOf(keptUsage([]), 2).newTickets(route, model, since)).toEqual({ kind: "unseen", why: "not_reported" });
  });
});

/** A ledger that keeps these events, and has dropped earlier ones unless it is complete. */
function keptUsage(events: readonly UsageEvent[], complete = true): Pick<BudgetLedger, "usageKept" | "usagePages"> {
  const between = (from: number, to: number) => events.filter(({ at }) => at >= from && at < to);
  return {
    usageKept: async (from, to) => ({ count: between(from, to).length, complete }),
    usagePages: async function* (from, to) {
      for (const event of between(from, to)) yield [event];
    },
  };
}
