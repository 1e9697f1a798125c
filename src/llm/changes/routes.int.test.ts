import { expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryChangeLog } from "../../../test/fakes/memory-change-log.ts";
import { startHttp } from "../../../test/servers/http-harness.ts";
import { createChangeRoutes } from "./routes.ts";

async function aServer() {
  const clock = createFakeClock();
  const http = await startHttp({ routes: createChangeRoutes({ changes: createMemoryChangeLog(), clock }) });
  const send = async (method: string, path: string, role: string, body?: unknown) => {
    const response = await fetch(`${http.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${role}-token`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: Object(await response.json()) };
  };
  return { http, send, now: clock.now() };
}

it("notes a change with its time and whoever told it, and lists it", async () => {
  const { http, send, now } = await aServer();
  await using _ = http;
  const told = await send("POST", "/api/changes", "workload", { kind: "deploy", ref: "release 1.5.0", dims: { prompt: "plan" } });
  const change = { kind: "deploy", ref: "release 1.5.0", dims: { prompt: "plan" }, at: now, by: "a workload" };
  expect(told).toEqual({ status: 201, body: change });
  await send("POST", "/api/changes", "operator", { kind: "flag", ref: "long context on", at: now - 5000 });
  const all = await send("GET", "/api/changes", "viewer");
  expect(all.body.items).toEqual([{ kind: "flag", ref: "long context on", dims: {}, at: now - 5000, by: "a operator" }, change]);
  expect((await send("GET", `/api/changes?from=${now}`, "viewer")).body.items).toEqual([change]);
  expect((await send("GET", `/api/changes?to=${now - 1}`, "viewer")).body.items).toHaveLength(1);
});

it.each([
  ["an unknown kind", { kind: "rumour", ref: "x" }],
  ["no words", { kind: "deploy", ref: "  " }],
  ["control characters", { kind: "deploy", ref: "a\u001b[31m" }],
  ["a dimension that cost is not broken down by", { kind: "deploy", ref: "x", dims: { moon: "full" } }],
  ["somebody else's name", { kind: "deploy", ref: "x", by: "anna" }],
])("refuses %s", async (_name, body) => {
  const { http, send } = await aServer();
  await using _ = http;
  expect((await send("POST", "/api/changes", "operator", body)).status).toBe(400);
  expect((await send("GET", "/api/changes", "viewer")).body.items).toEqual([]);
});

it("refuses what has not happened yet, and whoever may only look", async () => {
  const { http, send, now } = await aServer();
  await using _ = http;
  const change = { kind: "deploy", ref: "tomorrow", at: now + 600_000 };
  expect((await send("POST", "/api/changes", "operator", change)).status).toBe(400);
  expect((await send("POST", "/api/changes", "viewer", { ...change, at: now })).status).toBe(403);
});
