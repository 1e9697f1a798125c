import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { createSystemClock } from "../src/core/clock.ts";
import { createSystemRandom } from "../src/core/random.ts";
import { type Role, roles } from "../src/core/role.ts";
import { tokenFilePath } from "../src/platform/config/data-folder.ts";
import { createTokenFile } from "../src/platform/http/token-file.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { aProductFolder, aWaitingRunbook, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";

/**
 * Every route of the real server × every role × no token. Who may do what is written here once more, by hand: a route that is not in this
 * table fails the test, and so does one that answers others than those named here.
 */
const people: readonly Role[] = ["viewer", "operator", "approver", "admin"];
const operators: readonly Role[] = ["operator", "admin"];
const answerers: readonly Role[] = ["operator", "approver", "admin"];
const raisers: readonly Role[] = ["approver", "admin"];
const admins: readonly Role[] = ["admin"];
const workloads: readonly Role[] = ["workload", "admin"];
const everybody = "everybody";

const expected: { readonly [route: string]: readonly Role[] | typeof everybody } = {
  "GET /healthz": everybody,
  "GET /readyz": everybody,
  "GET /openapi.json": everybody,
  "GET /a/{id}": everybody,
  "GET /a.js": everybody,
  "GET /a.css": everybody,
  "POST /webhooks/alertmanager": everybody,
  "POST /webhooks/langfuse": everybody,
  "POST /webhooks/github": everybody,
  "GET /api/session": people,
  "POST /api/session": people,
  "POST /api/session/links": people,
  "DELETE /api/session": people,
  "GET /api/feed": people,
  "GET /api/runs": people,
  "POST /api/runs": operators,
  "GET /api/runs/{id}": people,
  "GET /api/runs/{id}/events": people,
  "GET /api/runs/{id}/document": people,
  "POST /api/runs/{id}/abort": operators,
  "POST /api/runs/{id}/resume": operators,
  "POST /api/runs/{id}/rerun": operators,
  "GET /api/approvals": people,
  "POST /api/approvals/{id}": answerers,
  "GET /api/approvals/{id}/question": people,
  "POST /api/approvals/{id}/link": answerers,
  "GET /api/runbooks": people,
  "GET /api/runbooks/{id}": people,
  "GET /api/runbooks/{id}/document": people,
  "GET /api/decisions": people,
  "GET /api/health": people,
  "GET /api/freeze": people,
  "PUT /api/freeze": operators,
  "DELETE /api/freeze": admins,
  "GET /api/audit": admins,
  "GET /api/audit/verify": admins,
  "GET /api/rejected-notifications": admins,
  "GET /api/budgets": people,
  "GET /api/budgets/{id}": people,
  "GET /api/budgets/{id}/spend": people,
  "POST /api/budgets/{id}/corrections": operators,
  "PUT /api/budgets/{id}": operators,
  "PATCH /api/budgets/{id}": operators,
  "GET /api/usage": people,
  "POST /api/usage": workloads,
  "GET /api/admissions": people,
  "POST /api/admissions": workloads,
  "POST /api/admissions/release": workloads,
  "POST /api/admissions/{leaseId}/extend": workloads,
  "GET /api/batches": people,
  "POST /api/batches": ["operator", "admin", "workload"],
  "GET /api/batches/{id}": [...people, "workload"],
  "PATCH /api/batches/{id}": operators,
  "GET /api/batches/{id}/events": [...people, "workload"],
  "GET /api/batches/{id}/estimate": [...people, "workload"],
  "POST /api/batches/references": ["operator", "admin", "workload"],
  "POST /api/batches/{id}/tickets": ["operator", "admin", "workload"],
  "POST /api/batches/{id}/submit": ["operator", "admin", "workload"],
  "POST /api/batches/{id}/pause": operators,
  "POST /api/batches/{id}/resume": operators,
  "POST /api/batches/{id}/cancel": operators,
  "GET /api/prompts": people,
  "GET /api/prompts/{name}": people,
  "GET /api/prompts/{name}/served": [...people, "workload"],
  "GET /api/prompts/{name}/versions/{version}": [...people, "workload"],
  "POST /api/prompts/{name}/versions": operators,
  "PUT /api/prompts/{name}/labels/{label}": operators,
  "PUT /api/prompts/{name}/canary": operators,
  "GET /api/prompt-caches": people,
  "GET /api/findings": people,
  "POST /api/findings": ["operator", "admin", "scanner"],
  "GET /api/findings/export": people,
  "GET /api/findings/{id}": people,
  "PUT /api/findings/{id}/status": operators,
  "GET /api/costs/explanation": people,
  "GET /api/changes": people,
  "POST /api/changes": [...operators, "workload"],
  "POST /api/features/requests": workloads,
  "POST /api/outputs": [...operators, "workload"],
  "POST /api/prompts/{name}/honeytoken": operators,
  "POST /api/prompts/{name}/honeytoken/rotate": operators,
  "GET /api/routes": people,
  "GET /api/routes/{id}": [...people, "workload"],
  "PUT /api/routes/{id}": operators,
  "GET /api/evidence": answerers,
  "GET /api/evidence/{id}": answerers,
  "GET /api/flags": people,
  "GET /api/flags/served": [...people, "workload"],
  "GET /api/flags/{key}": people,
  "PUT /api/flags/{key}": answerers,
  "POST /api/flags/{key}/off": answerers,
  "POST /ofrep/v1/evaluate/flags": [...people, "workload"],
  "POST /ofrep/v1/evaluate/flags/{key}": [...people, "workload"],
  "GET /ofrep/v1/configuration": [...people, "workload"],
  "GET /api/tickets": people,
  "GET /api/tickets/{id}": people,
  "PUT /api/tickets/{id}/quality": ["operator", "admin", "workload"],
  "GET /api/rollouts": people,
  "GET /api/rollouts/{id}": people,
  "POST /api/rollouts": answerers,
  "POST /api/rollouts/{id}/start": raisers,
  "POST /api/rollouts/{id}/grow": raisers,
  "POST /api/rollouts/{id}/hold": answerers,
  "POST /api/rollouts/{id}/take-back": answerers,
};

let redis: RedisServer;
let folder: ProductFolder;
let product: RunningProduct;
const tokens = new Map<Role, string>();

beforeAll(async () => {
  redis = await startRedisServer();
  folder = await aProductFolder({ "none.md": "nothing", "start.md": aWaitingRunbook("StartAlert").replace(/^target: .*\n/m, "") });
  const file = createTokenFile(tokenFilePath(folder.path), { clock: createSystemClock(), random: createSystemRandom() });
  for (const role of roles) tokens.set(role, (await file.create(`a-${role}`, role)) ?? "");
  product = await startProduct(folder.path, { env: { REDIS_URL: `unix://${redis.socketPath}` }, worker: false });
});

afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const descriptionSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ "x-roles": z.array(z.enum(roles)).optional() }))),
});

const bodySchema = z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.looseObject({}).optional() })).optional() });
const bodiesSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ responses: z.record(z.string(), bodySchema) }))),
});

async function describedRoutes(): Promise<ReadonlyMap<string, readonly Role[] | undefined>> {
  const { paths } = descriptionSchema.parse(await (await fetch(`${product.url}/openapi.json`)).json());
  return new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, route]) => [`${method.toUpperCase()} ${path}`, route["x-roles"]] as const),
    ),
  );
}

/** The name of a thing that does not exist: nothing is done to anything. */
async function ask(route: string, token: string | undefined): Promise<number> {
  const [method = "", path = ""] = route.split(" ");
  const response = await fetch(`${product.url}${path.replaceAll(/\{\w+\}/g, "nobody")}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(method !== "GET" && { "content-type": "application/json" }),
    },
    ...(method !== "GET" && { body: "{}" }),
  });
  await response.body?.cancel();
  return response.status;
}

/** What is no JSON: the page behind a mailed link. */
const pages = ["GET /a/{id}", "GET /a.js", "GET /a.css"];

it("is what docs/http-api.md says: each route once, with its roles", async () => {
  const text = await readFile(join(import.meta.dirname, "../docs/http-api.md"), "utf8");
  const rows = [...text.matchAll(/^\| `([A-Z]+ \/[^`]*)` \| ([^|]+) \|/gm)].filter(([, route = ""]) => Object.hasOwn(expected, route));
  const written = rows.map(([, route = "", cell = ""]) => {
    const named = cell.split(", ").flatMap((word) => (word === "people" ? people : roles.filter((role) => role === word)));
    return [route, cell === "everyone" || cell === "webhook" ? everybody : named.toSorted()] as const;
  });
  const all = Object.entries(expected).map(([route, who]) => [route, who === everybody ? who : [...who].toSorted()] as const);
  const byName = (a: readonly [string, unknown], b: readonly [string, unknown]) => (a[0] < b[0] ? -1 : 1);
  // The table of what may be sent again names some routes before the table of their group does.
  const lastOfEach = [...new Map(written)];
  expect(lastOfEach.toSorted(byName)).toEqual(all.toSorted(byName));
});

it("describes the body of every success of every route with a schema", async () => {
  const { paths } = bodiesSchema.parse(await (await fetch(`${product.url}/openapi.json`)).json());
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => ({ route: `${method.toUpperCase()} ${path}`, responses })),
  );
  const without = routes.filter(({ responses }) => {
    const bodies = Object.entries(responses).filter(([status]) => status.startsWith("2"));
    return bodies.length !== 1 || bodies.some(([, { content = {} }]) => Object.values(content).every(({ schema }) => schema === undefined));
  });
  expect(routes.length).toBeGreaterThan(60);
  expect(without.map(({ route }) => route).toSorted()).toEqual(["GET /openapi.json", ...pages].toSorted());
});

describe("who may do what", () => {
  it("is decided for every route that the server has, and for none that it does not have", async () => {
    expect([...(await describedRoutes()).keys()].sort()).toEqual(Object.keys(expected).sort());
  });

  it("is what each route says of itself", async () => {
    const said = [...(await describedRoutes())].map(([route, who]) => [route, who === undefined ? everybody : [...who].sort()]);
    expect(Object.fromEntries(said)).toEqual(
      Object.fromEntries(Object.entries(expected).map(([route, who]) => [route, who === everybody ? everybody : [...who].sort()])),
    );
  });

  it.each(Object.entries(expected))("%s", async (route, who) => {
    const seen = [];
    for (const role of [...roles, undefined]) {
      const status = await ask(route, role === undefined ? undefined : tokens.get(role));
      seen.push([role ?? "no token", status === 401 ? 401 : status === 403 ? 403 : "answered"]);
    }
    // A webhook has a token of its own, which none of these is.
    const open = who === everybody ? (route === "POST /webhooks/alertmanager" ? 401 : "answered") : undefined;
    expect(seen).toEqual([...roles.map((role) => [role, open ?? (who.includes(role) ? "answered" : 403)]), ["no token", open ?? 401]]);
  });

  it("ends for a revoked token with its next request", async () => {
    const file = createTokenFile(tokenFilePath(folder.path), { clock: createSystemClock(), random: createSystemRandom() });
    const token = (await file.create("short-lived", "viewer")) ?? "";
    expect(await ask("GET /api/runs", token)).toBe(200);
    await file.revoke("short-lived");
    expect(await ask("GET /api/runs", token)).toBe(401);
  });

  it("ends the open stream of a revoked token, long before its events end", async () => {
    const operator = { authorization: `Bearer ${tokens.get("operator") ?? ""}` };
    const started = await fetch(`${product.url}/api/runs`, {
      method: "POST",
      headers: { ...operator, "content-type": "application/json" },
      body: JSON.stringify({ runbook: "start", params: {} }),
    });
    const { runId } = z.object({ runId: z.string() }).parse(await started.json());
    const file = createTokenFile(tokenFilePath(folder.path), { clock: createSystemClock(), random: createSystemRandom() });
    const token = (await file.create("reader", "viewer")) ?? "";
    const stream = await fetch(`${product.url}/api/runs/${runId}/events`, { headers: { authorization: `Bearer ${token}` } });
    expect(stream.status).toBe(200);
    await file.revoke("reader");
    // No worker runs: without the revocation the stream would stay open until the product ends.
    expect(await stream.text()).not.toContain("event: end");
  }, 25_000);
});
