import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { createRunbookdClient, type RunbookdClient } from "../packages/sdk/src/client.ts";
import type { RouteChanged } from "../packages/sdk/src/route-source.ts";
import type { FollowerBook } from "../src/llm/rollouts/followers.ts";
import { type ModelRoutingStore, servedRoute } from "../src/llm/routing/model-route.ts";
import { createRoutingRoutes } from "../src/llm/routing/routes.ts";
import { createMemoryFollowers } from "../src/rehearsal/memory-followers.ts";
import { createMemoryModelRoutes } from "../src/rehearsal/memory-model-routes.ts";
import { aCandidate, someTargets } from "./contracts/describe-model-routes.ts";
import { createFakeClock, type FakeClock } from "./fakes/fake-clock.ts";
import { type HttpHarness, startHttp } from "./servers/http-harness.ts";
import { until } from "./servers/until.ts";

let http: HttpHarness;
let client: RunbookdClient;
let clock: FakeClock;
let store: ModelRoutingStore;
let followers: FollowerBook;
let changes: RouteChanged[];
let isDown: boolean;

const aClient = () =>
  createRunbookdClient({
    url: http.url,
    token: "workload-token",
    clock,
    refreshEveryMs: 1000,
    onRouteChanged: (change) => changes.push(change),
    fetch: async (url, init) => {
      if (isDown) throw new TypeError("fetch failed");
      return fetch(url, init);
    },
  });

beforeEach(async () => {
  clock = createFakeClock();
  changes = [];
  isDown = false;
  store = createMemoryModelRoutes(clock);
  followers = createMemoryFollowers(clock);
  http = await startHttp({
    routes: createRoutingRoutes({
      routes: store,
      followers,
      models: async () => [],
      audit: { append: async () => undefined },
      clock,
      liveRollout: async () => undefined,
    }),
  });
  client = aClient();
});
afterEach(async () => {
  await client.close();
  await http[Symbol.asyncDispose]();
});

const tickets = Array.from({ length: 400 }, (_, nth) => `TICKET-${nth}`);

it("gives a candidate its share of the tickets, and every ticket the model that it began with", async () => {
  await store.set({ id: "implement", expected: 0, targets: someTargets({ candidate: aCandidate }), by: "anna", reason: "try" });
  const first = await Promise.all(tickets.map(async (ticket) => client.routes.forTicket("implement", ticket)));
  const onTrial = first.filter(({ variant }) => variant === "canary");
  expect(onTrial.length).toBeGreaterThan(20);
  expect(onTrial.length).toBeLessThan(60);
  expect(onTrial[0]).toEqual({ provider: "anthropic", model: "claude-haiku-4-5", variant: "canary", fallback: [] });
  await store.set({
    id: "implement",
    expected: 1,
    targets: someTargets({ candidate: { ...aCandidate, share: 1 } }),
    by: "anna",
    reason: "all",
  });
  await clock.advance(1000);
  await until("the change is heard", () => changes.length > 0);
  expect(changes).toMatchObject([{ route: "implement", before: { candidate: { share: 0.1 } }, after: { candidate: { share: 1 } } }]);
  expect(await Promise.all(tickets.map(async (ticket) => client.routes.forTicket("implement", ticket)))).toEqual(first);
  expect((await client.routes.forTicket("implement", "a new one")).variant).toBe("canary");
  // Another process that knows from the saved work how the ticket began.
  const begun = { provider: "anthropic", model: "claude-sonnet-4-5", variant: "baseline" } as const;
  const elsewhere = aClient();
  expect(await elsewhere.routes.forTicket("implement", "TICKET-1", begun)).toMatchObject(begun);
  await elsewhere.close();
});

it("goes on with what is known while runbookd is away, and says when nothing is", async () => {
  await store.set({ id: "implement", expected: 0, targets: someTargets(), by: "anna", reason: "first" });
  await client.routes.forTicket("implement", "TICKET-1");
  isDown = true;
  await clock.advance(1000);
  expect((await client.routes.forTicket("implement", "TICKET-2")).model).toBe("claude-sonnet-4-5");
  await expect(client.routes.forTicket("review", "TICKET-2")).rejects.toThrow("fetch failed");
  isDown = false;
  await expect(client.routes.forTicket("review", "TICKET-2")).rejects.toThrow("runbookd has no route review.");
});

it("shows how many processes follow a route, and how many have its newest version", async () => {
  const count = async () => {
    const route = await store.read("implement");
    return route === undefined ? undefined : followers.count("route/implement", servedRoute(route, clock.now()).tag);
  };
  await store.set({ id: "implement", expected: 0, targets: someTargets(), by: "anna", reason: "first" });
  const other = aClient();
  await client.routes.forTicket("implement", "TICKET-1");
  await other.routes.forTicket("implement", "TICKET-1");
  await until("both are there", async () => (await count())?.followers === 2);
  await clock.advance(1000);
  await until("both have it", async () => (await count())?.current === 2);
  await store.set({ id: "implement", expected: 1, targets: someTargets({ candidate: aCandidate }), by: "anna", reason: "try" });
  expect(await count()).toEqual({ followers: 2, current: 0 });
  await other.close();
  await clock.advance(1000);
  await clock.advance(1000);
  await until("one has the new version, and the one that is gone does not", async () => (await count())?.current === 1);
  expect(await count()).toEqual({ followers: 2, current: 1 });
});
