import { expect, it } from "@jest/globals";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OpenFeature, ProviderEvents } from "@openfeature/server-sdk";
import { createRunbookdClient, type RunbookdClientOptions } from "../packages/sdk/src/client.ts";
import { createFlagProvider } from "../packages/sdk/src/open-feature-provider.ts";
import type { FeatureRequests } from "../packages/sdk/src/wire/flags.ts";
import { createFeatureReports } from "../src/llm/features/feature-reports.ts";
import { createFeatureRequestRoutes } from "../src/llm/features/feature-request-routes.ts";
import { type FlagStore, flagDocument, flagTag } from "../src/llm/flags/flag.ts";
import { createOfrepRoutes } from "../src/llm/flags/ofrep-routes.ts";
import { createFlagRoutes } from "../src/llm/flags/routes.ts";
import { createMemoryFlags } from "../src/rehearsal/memory-flags.ts";
import { createMemoryFollowers } from "../src/rehearsal/memory-followers.ts";
import { aFlagDefinition, describeFlagProvider, type FlagProviderBench } from "./contracts/describe-flag-provider.ts";
import { createFakeClock } from "./fakes/fake-clock.ts";
import { startHttp } from "./servers/http-harness.ts";
import { until } from "./servers/until.ts";

/** The product's own routes of flags, a fetch that sees every answer, and the store behind them. */
async function aServer() {
  const clock = createFakeClock();
  const [flags, followers] = [createMemoryFlags(clock), createMemoryFollowers(clock)];
  const counted: FeatureRequests[] = [];
  const http = await startHttp({
    routes: [
      ...createFlagRoutes({ flags, followers, audit: { append: async () => undefined }, clock, liveRollout: async () => undefined }),
      ...createOfrepRoutes({ flags, followers, evaluated: () => undefined }),
      ...createFeatureRequestRoutes({ reports: createFeatureReports(), count: (counts) => void counted.push(...counts) }),
    ],
  });
  const statuses: number[] = [];
  const state = { isDown: false };
  const seeing: typeof fetch = async (url, init) => {
    if (state.isDown) throw new TypeError("fetch failed");
    const response = await fetch(url, init);
    statuses.push(response.status);
    return response;
  };
  const open = (more: Partial<RunbookdClientOptions> = {}) =>
    createRunbookdClient({ url: http.url, token: "workload-token", clock, fetch: seeing, ...more });
  return {
    http,
    clock,
    flags,
    followers,
    counted,
    statuses,
    state,
    fetch: seeing,
    open,
    set: settingIn(flags),
    [Symbol.asyncDispose]: async () => http[Symbol.asyncDispose](),
  };
}

function settingIn(flags: FlagStore): FlagProviderBench["set"] {
  return async (key, definition) => {
    const expected = (await flags.read(key))?.version ?? 0;
    const result = await flags.set({ key, expected, definition, by: "anna", reason: "x" });
    if (result.kind !== "set") throw new Error(`Flag ${key} was not set: ${result.kind}.`);
  };
}

describeFlagProvider(
  "the OFREP provider",
  async () => {
    const { http, set, statuses, state, fetch: fetchImplementation } = await aServer();
    return {
      provider: new OFREPProvider({ baseUrl: http.url, headers: [["Authorization", "Bearer workload-token"]], fetchImplementation }),
      set,
      statuses,
      refreshed: async () => undefined,
      stop: async () => void (state.isDown = true),
      [Symbol.asyncDispose]: async () => http[Symbol.asyncDispose](),
    };
  },
  { whenAway: "default of the code" },
);

describeFlagProvider(
  "the provider in the process",
  async () => {
    const { http, set, statuses, state, clock, open } = await aServer();
    const client = open();
    return {
      provider: createFlagProvider(client.flags),
      set,
      statuses,
      async refreshed() {
        const asked = statuses.length;
        await clock.advance(2000);
        if (!state.isDown) await until("it has asked", () => statuses.length > asked);
      },
      stop: async () => void (state.isDown = true),
      async [Symbol.asyncDispose]() {
        await client.close();
        await http[Symbol.asyncDispose]();
      },
    };
  },
  { whenAway: "last value" },
);

it("counts the processes that hold a flag, and those that hold its newest version", async () => {
  await using server = await aServer();
  await server.set("export", aFlagDefinition());
  const clients = [server.open(), server.open({ instance: "pod-2" })];
  for (const client of clients) expect(await client.flags.enabled("export")).toBe(true);
  const count = async () => {
    const flag = await server.flags.read("export");
    return flag && server.followers.count(flagDocument("export"), flagTag(flag));
  };
  expect(await count()).toEqual({ followers: 2, current: 0 });
  await server.clock.advance(2000);
  await until("both have said what they hold", async () => (await count())?.current === 2);
  await server.set("export", aFlagDefinition({ state: "off" }));
  expect(await count()).toEqual({ followers: 2, current: 0 });
  await clients[1]?.close();
  await server.clock.advance(2000);
  await until("the flag is off", async () => !(await clients[0]?.flags.enabled("export")));
  await server.clock.advance(2000);
  await until("one holds the newest version", async () => (await count())?.current === 1);
  expect(await count()).toEqual({ followers: 2, current: 1 });
  await clients[0]?.close();
});

it("asks once for all flags, and then only whether they have changed", async () => {
  await using server = await aServer();
  for (const key of ["export", "import"]) await server.set(key, aFlagDefinition());
  const client = server.open();
  expect(await Promise.all(["export", "import", "nothing"].map(async (key) => client.flags.enabled(key)))).toEqual([true, true, false]);
  for (const nth of [1, 2]) {
    await server.clock.advance(2000);
    await until("it has asked again", () => server.statuses.length > nth);
  }
  expect(server.statuses).toEqual([200, 304, 304]);
  await client.close();
});

it("counts the requests of a flag's feature in the server, once each, although an answer was lost", async () => {
  await using server = await aServer();
  await server.set("export", { ...aFlagDefinition(), feature: "export" });
  let isLost = false;
  const client = server.open({
    fetch: async (url, init) => {
      const response = await server.fetch(url, init);
      if (init?.method === "POST" && isLost) throw new TypeError("fetch failed");
      return response;
    },
  });
  await client.flags.enabled("export");
  isLost = true;
  await server.clock.advance(2000);
  await until("the report has arrived", () => server.counted.length === 1);
  isLost = false;
  await client.flags.enabled("export");
  await client.close();
  await until("both are counted", () => server.counted.length === 2);
  expect(server.counted).toEqual([1, 1].map((served) => ({ feature: "export", served, refused: 0 })));
});

it("says when it is ready, what has changed, and when runbookd is away", async () => {
  await using server = await aServer();
  await server.set("export", aFlagDefinition());
  const client = server.open();
  const seen: string[] = [];
  const api = OpenFeature.getClient("events");
  for (const event of Object.values(ProviderEvents)) {
    api.addHandler(event, (details) => {
      const keys: readonly string[] = Object(details).flagsChanged ?? [];
      seen.push([event, ...keys].join(" "));
    });
  }
  server.state.isDown = true;
  await expect(OpenFeature.setProviderAndWait("events", createFlagProvider(client.flags, { keys: ["export"] }))).rejects.toThrow(
    "runbookd cannot be asked",
  );
  expect(await api.getBooleanDetails("export", false, {})).toMatchObject({ value: false, errorCode: "PROVIDER_NOT_READY" });
  server.state.isDown = false;
  await server.clock.advance(2000);
  await until("it is ready", () => seen.includes("PROVIDER_READY"));
  await server.set("export", aFlagDefinition({ state: "off" }));
  await server.clock.advance(2000);
  await until("the change is told", () => seen.includes("PROVIDER_CONFIGURATION_CHANGED export"));
  expect(await api.getBooleanValue("export", true)).toBe(false);
  server.state.isDown = true;
  await server.clock.advance(4000);
  await until("it is stale", () => seen.includes("PROVIDER_STALE"));
  expect(await api.getBooleanValue("export", true)).toBe(false);
  server.state.isDown = false;
  await server.clock.advance(2000);
  await until("it is ready again", () => seen.filter((event) => event === "PROVIDER_READY").length === 2);
  expect(seen).toEqual(["PROVIDER_ERROR", "PROVIDER_READY", "PROVIDER_CONFIGURATION_CHANGED export", "PROVIDER_STALE", "PROVIDER_READY"]);
  await OpenFeature.close();
  await client.close();
});
