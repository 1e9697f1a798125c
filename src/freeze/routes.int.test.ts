import { afterEach, beforeEach, expect, it } from "@jest/globals";
import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { type HttpHarness, startHttp } from "../../test/servers/http-harness.ts";
import { createFreezeRoutes } from "./routes.ts";

let freezes: Map<string, Freeze>;
let harness: HttpHarness;

beforeEach(async () => {
  freezes = new Map();
  const desk = {
    list: async () => [...freezes.values()],
    put: async (freeze: Freeze) => void freezes.set(freeze.scope, freeze),
    remove: async (scope: string) => freezes.delete(scope),
  };
  harness = await startHttp({ routes: createFreezeRoutes({ freezeService: desk, clock: createFakeClock(1000) }) });
});
afterEach(async () => {
  await harness[Symbol.asyncDispose]();
});

async function ask(method: string, role: string, path = "/api/freeze", body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${harness.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${role}-token`, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

it("freezes everything in the name of whoever asks, and shows it to everybody", async () => {
  const put = await ask("PUT", "operator", "/api/freeze", { reason: "a release" });
  const freeze = { scope: "all", reason: "a release", undo: true, by: "a operator", at: 1000 };
  expect(put).toEqual({ status: 200, body: freeze });
  expect(await ask("GET", "viewer")).toEqual({ status: 200, body: { items: [freeze] } });
});

it("is set by those who run runbooks and lifted only by admins", async () => {
  expect((await ask("PUT", "viewer", "/api/freeze", { reason: "x" })).status).toBe(403);
  expect((await ask("PUT", "workload", "/api/freeze", { reason: "x" })).status).toBe(403);
  await ask("PUT", "operator", "/api/freeze", { scope: "target:budget/a", reason: "x" });
  expect((await ask("DELETE", "operator", "/api/freeze?scope=target:budget/a")).status).toBe(403);
  expect(freezes.size).toBe(1);
  expect((await ask("DELETE", "admin", "/api/freeze?scope=target:budget/a")).status).toBe(200);
  expect(freezes.size).toBe(0);
});

it("answers 404 to lifting what is not frozen", async () => {
  expect((await ask("DELETE", "admin")).status).toBe(404);
});

it.each([
  [{ scope: "everything", reason: "x" }],
  [{ scope: "", reason: "x" }],
  [{ scope: "target:", reason: "x" }],
  [{ scope: "target:a b", reason: "x" }],
  [{ scope: "runbook:../x", reason: "x" }],
  [{ reason: "  " }],
  [{}],
  [{ reason: "x", until: 5 }],
])("refuses %j and freezes nothing", async (body) => {
  expect((await ask("PUT", "operator", "/api/freeze", body)).status).toBe(400);
  expect(freezes.size).toBe(0);
});
