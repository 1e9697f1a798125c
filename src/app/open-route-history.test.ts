import { expect, it } from "@jest/globals";
import { newTicketSchema } from "../../packages/sdk/src/wire/tickets.ts";
import { aPrefixSample } from "../../test/builders/a-prefix-sample.ts";
import { aUsageEvent } from "../../test/builders/a-usage-report.ts";
import { someTargets } from "../../test/contracts/describe-model-routes.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryPrefixSamples } from "../../test/fakes/memory-prefix-samples.ts";
import { createMemoryTickets } from "../../test/fakes/memory-tickets.ts";
import { hourMs } from "../core/duration.ts";
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
  const asked: (readonly [number, number])[] = [];
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
      ledger: {
        async usageBetween(from, to) {
          asked.push([from, to]);
          return { events, complete: true };
        },
      },
      tickets,
      clock,
      timeFactor: 1,
    },
    samples,
  );
  const route = { ...someTargets(), id: "implement", version: 1, at: now, by: "ada", reason: "" };
  expect(await history.use(route)).toEqual({ requests: 3, features: ["tools"], largestTokens: 1000 });
  expect(await history.tickets(route)).toEqual([
    { id: "T-1", kind: "bug", repository: "shop", costMicroUsd: 3000 },
    { id: "T-2", kind: "plan", repository: "", costMicroUsd: 3000 },
  ]);
  expect(asked[0]).toEqual([now - 30 * 24 * hourMs, now + 1]);
});
