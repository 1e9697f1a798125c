import { expect, it } from "@jest/globals";
import type { AuditEntry } from "../../../packages/sdk/src/wire/audit.ts";
import type { ModelRoute } from "../../../packages/sdk/src/wire/routing.ts";
import { aRollout } from "../../../test/builders/a-rollout.ts";
import { aCandidate, someTargets } from "../../../test/contracts/describe-model-routes.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { startHttp } from "../../../test/servers/http-harness.ts";
import { createMemoryFollowers } from "../../rehearsal/memory-followers.ts";
import { createMemoryModelRoutes } from "../../rehearsal/memory-model-routes.ts";
import { createMemoryRollouts } from "../../rehearsal/memory-rollouts.ts";
import { createRoutingRoutes } from "./routes.ts";

async function aServer() {
  const clock = createFakeClock();
  const audited: AuditEntry[] = [];
  const audit = { append: async (entry: AuditEntry) => void audited.push(entry) };
  const models = async (routes: readonly ModelRoute[]) =>
    routes.map(({ baseline }) => ({ ...baseline, lifecycle: "unknown", overdue: false, features: {}, source: "none" }) as const);
  const followers = createMemoryFollowers(clock);
  const rollouts = createMemoryRollouts(clock);
  const http = await startHttp({
    routes: createRoutingRoutes({
      routes: createMemoryModelRoutes(clock),
      followers,
      models,
      audit,
      clock,
      liveRollout: async (target) => rollouts.liveOf(target),
    }),
  });
  const send = async (
    method: string,
    path: string,
    role: string,
    more: { readonly body?: unknown; readonly etag?: string; readonly follower?: string } = {},
  ) => {
    const response = await fetch(`${http.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${role}-token`,
        "content-type": "application/json",
        ...(more.etag !== undefined && { "if-none-match": more.etag }),
        ...(more.follower !== undefined && { "runbookd-follower": more.follower }),
      },
      ...(more.body !== undefined && { body: JSON.stringify(more.body) }),
    });
    const text = await response.text();
    return { status: response.status, body: Object(text === "" ? {} : JSON.parse(text)), etag: response.headers.get("etag") ?? "" };
  };
  return { http, send, audited, followers, rollouts, clock };
}

it("sets a route from the version that was read, shows it, and records who did it", async () => {
  const { http, send, audited } = await aServer();
  await using _ = http;
  expect((await send("GET", "/api/routes/implement", "viewer")).status).toBe(404);
  const first = { ...someTargets(), expected: 0, reason: "first" };
  expect(await send("PUT", "/api/routes/implement", "operator", { body: first })).toMatchObject({
    status: 200,
    body: { version: 1, by: "a operator" },
  });
  const trial = { ...someTargets({ candidate: aCandidate }), expected: 0, reason: "try it" };
  const refused = await send("PUT", "/api/routes/implement", "operator", { body: trial });
  expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining("it has version 1, by a operator") } });
  await send("PUT", "/api/routes/implement", "operator", { body: { ...trial, expected: 1 } });
  expect((await send("GET", "/api/routes", "viewer")).body).toMatchObject({
    items: [{ id: "implement", version: 2, candidate: aCandidate }],
    models: [{ ...someTargets().baseline, lifecycle: "unknown", source: "none" }],
  });
  expect(audited.map(({ kind, subject, detail }) => [kind, subject, detail["reply"]])).toEqual([
    ["route_set", "route/implement", "set"],
    ["route_set", "route/implement", "conflict"],
    ["route_set", "route/implement", "set"],
  ]);
});

it("does not set by hand what a live rollout controls, and names the rollout and the commands", async () => {
  const { http, send, audited, rollouts } = await aServer();
  await using _ = http;
  const put = async (version: number, change: Parameters<typeof someTargets>[0]) =>
    send("PUT", "/api/routes/implement", "operator", { body: { ...someTargets(change), expected: version, reason: "by hand" } });
  await put(0, { candidate: aCandidate });
  await rollouts.create(aRollout());
  await rollouts.change({ id: "r1", expected: 1, set: { state: "running", step: 0 } });
  for (const change of [{}, { candidate: { ...aCandidate, share: 0.5 } }]) {
    const refused = await put(1, change);
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining("Rollout r1 of route/implement is running") } });
    expect(refused.body["detail"]).toContain("rollouts take-back r1");
  }
  expect(audited.at(-1)?.detail["reply"]).toBe("live_rollout");
  const fallback = [{ provider: "openai", model: "gpt-5" }];
  expect((await put(1, { candidate: aCandidate, fallback })).status).toBe(200);
  await rollouts.change({ id: "r1", expected: 2, set: { state: "rolled_back" } });
  expect((await put(2, {})).status).toBe(200);
});

it("gives an application the route with a tag, and nothing when it has it already", async () => {
  const { http, send } = await aServer();
  await using _ = http;
  await send("PUT", "/api/routes/implement", "operator", { body: { ...someTargets(), expected: 0, reason: "first" } });
  const { etag, body } = await send("GET", "/api/routes/implement", "workload");
  expect(body).toMatchObject({ id: "implement", ...someTargets() });
  expect((await send("GET", "/api/routes/implement", "workload", { etag })).status).toBe(304);
  await send("PUT", "/api/routes/implement", "operator", {
    body: { ...someTargets({ candidate: aCandidate }), expected: 1, reason: "try" },
  });
  expect((await send("GET", "/api/routes/implement", "workload", { etag })).status).toBe(200);
});

it("notes which process asks, and which version it had", async () => {
  const { http, send, followers } = await aServer();
  await using _ = http;
  await send("PUT", "/api/routes/implement", "operator", { body: { ...someTargets(), expected: 0, reason: "first" } });
  const ask = async (follower: string, etag?: string) =>
    send("GET", "/api/routes/implement", "workload", { follower, ...(etag !== undefined && { etag }) });
  const { etag } = await ask("one");
  expect(await followers.count("route/implement", etag)).toEqual({ followers: 1, current: 0 });
  expect((await ask("one", etag)).status).toBe(304);
  await ask("two");
  await send("GET", "/api/routes/implement", "viewer");
  expect(await followers.count("route/implement", etag)).toEqual({ followers: 2, current: 1 });
});

it("serves a fallback until its time is over, with another tag then", async () => {
  const { http, send, clock } = await aServer();
  await using _ = http;
  const old = { provider: "openai", model: "gpt-5" };
  const fallback = [
    { ...old, until: clock.now() + 5000 },
    { ...old, model: "gpt-6" },
  ];
  await send("PUT", "/api/routes/implement", "operator", { body: { ...someTargets({ fallback }), expected: 0, reason: "first" } });
  const before = await send("GET", "/api/routes/implement", "workload");
  expect(before.body.fallback).toEqual(fallback);
  await clock.advance(5000);
  const after = await send("GET", "/api/routes/implement", "workload", { etag: before.etag });
  expect(after).toMatchObject({ status: 200, body: { version: 1, fallback: fallback.slice(1) } });
});

it.each([
  ["no model", { expected: 0, reason: "x" }],
  ["a share above all", { ...someTargets({ candidate: { ...aCandidate, share: 1.5 } }), expected: 0, reason: "x" }],
  ["no reason", { ...someTargets(), expected: 0, reason: " " }],
  ["a field that nobody knows", { ...someTargets(), expected: 0, reason: "x", weight: 3 }],
])("refuses %s", async (_name, body) => {
  const { http, send } = await aServer();
  await using _ = http;
  expect((await send("PUT", "/api/routes/implement", "operator", { body })).status).toBe(400);
  expect((await send("PUT", "/api/routes/implement", "workload", { body: { ...someTargets(), expected: 0, reason: "x" } })).status).toBe(
    403,
  );
  expect((await send("GET", "/api/routes", "viewer")).body.items).toEqual([]);
});
