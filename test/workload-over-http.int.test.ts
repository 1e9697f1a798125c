import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createRunbookdClient, type RunbookdClient } from "../packages/sdk/src/client.ts";
import type { UsageLoss } from "../packages/sdk/src/usage-outbox.ts";
import { type UsageEvent, usageReportSchema } from "../packages/sdk/src/wire/usage.ts";
import { createBatchControl } from "../src/llm/batches/batch-control.ts";
import { createBatchStore } from "../src/llm/batches/redis-store.ts";
import { createBatchRoutes } from "../src/llm/batches/routes.ts";
import { createWorkloadRoutes } from "../src/llm/budgets/admission-routes.ts";
import type { BudgetLedger, FinishedTicket } from "../src/llm/budgets/budget-ledger.ts";
import { createBudgetLedger } from "../src/llm/budgets/redis-store.ts";
import { createBudgetRoutes } from "../src/llm/budgets/routes.ts";
import type { WorkloadEvent } from "../src/llm/budgets/workload-event.ts";
import { createTicketStore } from "../src/llm/tickets/redis-store.ts";
import { createTicketRoutes } from "../src/llm/tickets/routes.ts";
import { createPriceTable } from "../src/llm/usage/price-table.ts";
import { shippedPrices } from "../src/llm/usage/prices.ts";
import { describeApi } from "../src/platform/http/openapi.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { aUsageReport } from "./builders/a-usage-report.ts";
import { contractTimes } from "./contracts/describe-budget-ledger.ts";
import { createFakeClock, type FakeClock } from "./fakes/fake-clock.ts";
import { holdRedis } from "./servers/hold-redis.ts";
import { type HttpHarness, startHttp } from "./servers/http-harness.ts";

const held = holdRedis(["--appendfsync", "no"]);
let http: HttpHarness;
let clock: FakeClock;
let ledger: BudgetLedger;
let client: RunbookdClient;
let usage: UsageEvent[];
let finished: FinishedTicket[];
let rung: string[];
let lost: UsageLoss[];
let paths: string[];

beforeEach(async () => {
  await held.redis.flushall();
  clock = createFakeClock(Date.UTC(2026, 10, 23, 6));
  usage = [];
  finished = [];
  rung = [];
  lost = [];
  const tickets = createTicketStore({ redis: held.redis, clock });
  const batches = createBatchStore({ redis: held.redis, clock });
  ledger = createBudgetLedger({ redis: held.redis, clock, times: contractTimes, counts: tickets, maxBudgets: 3 });
  const control = createBatchControl({ batches, tickets, budgets: ledger, clock });
  const publish = (event: WorkloadEvent) => {
    if (event.kind === "usage_counted") usage.push(...event.usage.flatMap((one) => (one.kind === "accepted" ? [one.event] : [])));
    else if (event.kind === "ticket_ended") finished.push(event.ticket);
  };
  const routes = [
    createWorkloadRoutes({ ledger, prices: createPriceTable(shippedPrices), publish, clock }),
    createBudgetRoutes({ ledger, clock }),
    createBatchRoutes({ ledger, batches, control, tickets, wakeQueue: { enqueue: async ({ id }) => void rung.push(id) }, clock }),
    createTicketRoutes({ tickets }),
  ].flat();
  http = await startHttp({ routes });
  client = createRunbookdClient({ url: http.url, token: "workload-token", onUsageLost: (loss) => lost.push(loss) });
  paths = Object.keys(describeApi(routes, []).paths);
});
afterEach(async () => {
  await client.close();
  await http[Symbol.asyncDispose]();
});

async function call(role: string, method: string, path: string, body?: unknown) {
  const response = await fetch(`${http.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${role}-token`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: Object(await response.json()) };
}
const define = () => call("operator", "PUT", "/api/budgets/checkout", { limitMicroUsd: 50_000, periodMs: 3_600_000 });

/** One value of each member that a report may leave out. */
const everyOptionalMember = {
  at: Date.UTC(2026, 10, 23, 6),
  requestModel: "claude-sonnet-4-5",
  promptVersion: "3",
  queue: "default",
  team: "payments",
  repo: "acme/shop",
  batchId: "B-1",
  leaseId: "lease",
  attempt: 1,
  turn: 0,
  variant: "baseline",
  serviceTier: "standard",
  shape: "anthropic-messages",
  outcome: "ok",
  error: "",
  latencyMs: 900,
  ttftMs: 90,
  traceId: "t",
  assignments: [],
  prefix: {},
  diagnostics: null,
};

describe("the workload over HTTP", () => {
  it("describes a report of usage with every member, and takes exactly those", async () => {
    const { paths: described, components } = describeApi(
      createWorkloadRoutes({ ledger, prices: createPriceTable([]), publish: () => undefined, clock }),
      [],
    );
    expect(JSON.stringify(described["/api/usage"]?.["post"])).toContain("#/components/schemas/UsageReport");
    const { properties, required } = Object(Object(components).schemas.UsageReport);
    expect(Object.keys(properties).toSorted()).toEqual(Object.keys(usageReportSchema.shape).toSorted());
    await define();
    const values: Record<string, unknown> = { ...aUsageReport({ id: "msg_described" }), ...everyOptionalMember };
    expect(Object.keys(properties).filter((name) => values[name] === undefined)).toEqual([]);
    const events = [
      values,
      Object.fromEntries(required.map((name: string) => [name, values[name]])),
      ...required.map((name: string) => ({ ...values, [name]: undefined })),
      { ...values, another: 1 },
    ];
    const { body } = await call("workload", "POST", "/api/usage", { events });
    const results = body.results.map(({ result }: { result: string }) => result);
    expect(results.slice(0, 2)).not.toContain("invalid");
    expect(new Set(results.slice(2))).toEqual(new Set(["invalid"]));
  });

  it("is described", () => {
    expect(paths).toEqual(expect.arrayContaining(["/api/admissions", "/api/usage", "/api/budgets/{id}", "/api/batches", "/api/tickets"]));
  });

  it("lets an application ask, report with the provider's own object, and end a ticket, through the client alone", async () => {
    await define();
    const ask = { ticketId: "GH-1", budget: "checkout", estimateMicroUsd: 5000 };
    expect(await client.admit(ask)).toMatchObject({ kind: "admitted", leaseMs: 60_000 });
    client.reportUsage(aUsageReport({ id: "msg_1", ticketId: "GH-1" }));
    client.reportUsage(aUsageReport({ id: "msg_1", ticketId: "GH-1" }));
    expect(await client.admit({ ...ask, turn: 1 })).toMatchObject({ kind: "admitted" });
    expect(usage).toMatchObject([{ id: "msg_1", costMicroUsd: 3000, tokens: { uncached: 1000 } }]);
    expect((await call("viewer", "GET", "/api/budgets/checkout")).body).toMatchObject({
      spentMicroUsd: 3000,
      committedMicroUsd: 5000,
      running: 1,
      inFlight: [{ ticketId: "GH-1", turn: 1 }],
    });
    await client.release({ ticketId: "GH-1", budget: "checkout", outcome: "succeeded", unused: true });
    await client.release({ ticketId: "GH-1", budget: "checkout", outcome: "succeeded", unused: true });
    expect(finished).toMatchObject([{ ticketId: "GH-1", costMicroUsd: 3000, outcome: "succeeded" }]);
  });

  it("answers wait and stop with their reasons", async () => {
    await define();
    const ask = { ticketId: "GH-1", budget: "checkout", estimateMicroUsd: 5000 };
    await client.admit(ask);
    await clock.advance(5);
    const paused = await call("operator", "PATCH", "/api/budgets/checkout", { gate: "paused", stopRunning: true, reason: "burning" });
    expect(paused).toMatchObject({ status: 200, body: { controls: { gate: "paused", by: "a operator" } } });
    expect(await client.admit({ ...ask, turn: 1 })).toMatchObject({ kind: "stop", reason: "stop_requested" });
    expect(await client.admit({ ...ask, ticketId: "GH-2" })).toMatchObject({ kind: "wait", reason: "budget_paused" });
    const log = await call("viewer", "GET", "/api/admissions");
    expect(log.body.items.map(({ kind }: { kind: string }) => kind)).toEqual(["admitted", "gate", "stop", "wait"]);
  });

  it("ends a person's pause by itself when it was given a time", async () => {
    await define();
    await call("operator", "PATCH", "/api/budgets/checkout", { gate: "paused", pausedForMs: 1000, reason: "a look" });
    await clock.advance(1000);
    expect(await client.admit({ ticketId: "GH-1", budget: "checkout", estimateMicroUsd: 5000 })).toMatchObject({ kind: "admitted" });
  });

  it("refuses a change of controls that were changed meanwhile, when the version is named", async () => {
    await define();
    const body = { version: 1, limits: { concurrency: 2 }, reason: "slowly" };
    expect(await call("operator", "PATCH", "/api/budgets/checkout", body)).toMatchObject({
      status: 200,
      body: { controls: { version: 2 } },
    });
    const other = { version: 1, limits: { concurrency: 9 }, reason: "fast" };
    expect(await call("operator", "PATCH", "/api/budgets/checkout", other)).toMatchObject({ status: 409 });
    expect(await call("operator", "PATCH", "/api/budgets/nobodys", other)).toMatchObject({ status: 404 });
    expect((await call("viewer", "GET", "/api/budgets")).body.items).toMatchObject([{ controls: { limits: { concurrency: 2 } } }]);
  });

  it("refuses a budget beyond the maximum by name, and creates nothing", async () => {
    await define();
    const body = { limitMicroUsd: 1_000_000 };
    for (const id of ["second", "third"]) expect(await call("operator", "PUT", `/api/budgets/${id}`, body)).toMatchObject({ status: 200 });
    const refused = await call("operator", "PUT", "/api/budgets/fourth", body);
    expect(refused).toMatchObject({ status: 409, body: { type: "urn:problem-type:runbookd:too-many-budgets" } });
    expect(refused.body.detail).toContain("3 budgets exist, which is what RUNBOOKD_MAX_BUDGETS allows");
    expect((await call("viewer", "GET", "/api/budgets")).body.items).toHaveLength(3);
    expect(await call("operator", "PUT", "/api/budgets/second", { limitMicroUsd: 5 })).toMatchObject({ status: 200 });
  });

  it("takes the good events of a bulk and says of each other one what is wrong", async () => {
    await define();
    const events = [
      aUsageReport({ id: "ok" }),
      { id: "bad", prompt: 7 },
      aUsageReport({ id: "other", budget: "nobodys" }),
      aUsageReport({ id: "odd", usage: { input_tokens: 5.5, output_tokens: 0 } }),
      aUsageReport({ id: "new", model: "new-model" }),
      "nonsense",
    ];
    const { status, body } = await call("workload", "POST", "/api/usage", { events });
    expect(status).toBe(200);
    expect(body.results).toMatchObject([
      { id: "ok", result: "accepted", costMicroUsd: 3000 },
      { id: "bad", result: "invalid" },
      { id: "other", result: "unknown_budget" },
      { id: "odd", result: "accepted", anomaly: "not_a_count" },
      { id: "new", result: "accepted", unpriced: "unknown_model" },
      { id: "", result: "invalid" },
    ]);
    expect(body.results[1].issues.join()).toContain("prompt:");
    expect(usage.map(({ id }) => id)).toEqual(["ok", "odd", "new"]);
    const now = clock.now();
    const rows = await call("viewer", "GET", `/api/budgets/checkout/spend?from=${now - 60_000}&to=${now + 60_000}`);
    expect(rows.body.items).toMatchObject([
      { model: "claude-sonnet-4-5", costMicroUsd: 53_000, estimatedMicroUsd: 50_000 },
      { model: "new-model", costMicroUsd: 50_000, estimatedMicroUsd: 50_000 },
    ]);
  });

  it.each([
    ["more than 1000 events", "/api/usage", { events: Array.from({ length: 1001 }, () => ({})) }],
    ["no event", "/api/usage", { events: [] }],
    ["an admission without a budget", "/api/admissions", { ticketId: "GH-1", estimateMicroUsd: 5 }],
    ["a negative estimate", "/api/admissions", { ticketId: "GH-1", budget: "checkout", estimateMicroUsd: -5 }],
    ["a batch without tickets", "/api/batches", { id: "b", budget: "checkout", tickets: [] }],
  ])("answers 400 to %s", async (_what, path, body) => {
    expect(await call("workload", "POST", path, body)).toMatchObject({
      status: 400,
      body: { type: "urn:problem-type:runbookd:invalid-request" },
    });
  });

  it("keeps each role to what is its own", async () => {
    await define();
    expect(await call("viewer", "POST", "/api/admissions", {})).toMatchObject({ status: 403 });
    expect(await call("workload", "GET", "/api/budgets")).toMatchObject({ status: 403 });
    expect(await call("workload", "PATCH", "/api/budgets/checkout", { gate: "open", reason: "please" })).toMatchObject({ status: 403 });
    expect(await call("nobody", "POST", "/api/usage", {})).toMatchObject({ status: 401 });
  });

  it("takes a batch in, again without harm, shows its tickets, closes its gate and cancels it", async () => {
    const batch = { id: "nightly", budget: "checkout", queue: "fast", tickets: [{ id: "GH-1", payload: { issue: 1 } }, { id: "GH-2" }] };
    await expect(client.createBatch(batch)).rejects.toThrow("define it first");
    await define();
    expect(await client.createBatch(batch)).toMatchObject({ id: "nightly", counts: { queued: 2 } });
    expect(await client.createBatch({ ...batch, tickets: [...batch.tickets, { id: "GH-3" }] })).toMatchObject({ counts: { queued: 3 } });
    await expect(client.createBatch({ ...batch, queue: "slow" })).rejects.toThrow("exists with another budget, queue or limits");
    expect(rung).toEqual(["GH-1", "GH-2", "GH-1", "GH-2", "GH-3"]);
    expect(await client.readBatch("nightly")).toMatchObject({ gate: "open", queue: "fast" });
    expect(await client.readBatch("weekly")).toBeUndefined();
    const page = await call("viewer", "GET", "/api/tickets?batch=nightly&limit=2");
    expect(page.body.items.map(({ id }: { id: string }) => id)).toEqual(["GH-3", "GH-2"]);
    const rest = await call("viewer", "GET", `/api/tickets?batch=nightly&limit=2&cursor=${page.body.nextCursor}`);
    expect(rest.body.items).toMatchObject([{ id: "GH-1", payload: { issue: 1 } }]);
    expect(await call("viewer", "GET", "/api/tickets/GH-1")).toMatchObject({ status: 200, body: { state: "queued" } });

    const admit = () => client.admit({ ticketId: "GH-1", budget: "checkout", batchId: "nightly", estimateMicroUsd: 5 });
    await call("operator", "POST", "/api/batches/nightly/pause", { reason: "look" });
    expect(await admit()).toMatchObject({ kind: "wait", reason: "batch_paused" });
    await call("operator", "POST", "/api/batches/nightly/resume", { reason: "fine" });
    expect(await admit()).toMatchObject({ kind: "admitted" });
    expect(await call("viewer", "POST", "/api/batches/nightly/cancel", { reason: "no" })).toMatchObject({ status: 403 });
    expect(await call("operator", "POST", "/api/batches/nightly/cancel", { reason: "wrong list" })).toMatchObject({
      status: 202,
      body: { state: "cancelled" },
    });
    expect(await admit()).toMatchObject({ kind: "stop", reason: "batch_cancelled" });
    expect(await call("operator", "POST", "/api/batches/nightly/resume", { reason: "again" })).toMatchObject({ status: 409 });
    expect(await call("operator", "POST", "/api/batches/none/pause", { reason: "again" })).toMatchObject({ status: 404 });
    expect((await call("viewer", "GET", "/api/batches")).body.items).toHaveLength(1);
  });

  const draft = { id: "big", budget: "checkout", queue: "fast", draft: true, limits: { perTicketCapMicroUsd: 10_000 } };
  const piece = {
    tickets: [
      { id: "big/1", externalRef: "a#1", kind: "bug" },
      { id: "big/2", externalRef: "a#2", kind: "bug" },
    ],
  };

  it("takes a batch in piece by piece, tells what it will cost, submits it once, and refuses it with the arithmetic when there is no room", async () => {
    await define();
    expect(await call("workload", "POST", "/api/batches", draft)).toMatchObject({ status: 201, body: { state: "draft" } });
    expect(await call("workload", "POST", "/api/batches", draft)).toMatchObject({ status: 201 });
    expect(await call("workload", "POST", "/api/batches", { ...draft, limits: {} })).toMatchObject({ status: 409 });
    expect(await call("workload", "POST", "/api/batches/big/tickets", piece)).toMatchObject({ status: 200, body: { added: 2 } });
    expect(await call("workload", "POST", "/api/batches/big/tickets", piece)).toMatchObject({ status: 200, body: { added: 0 } });
    const other = {
      tickets: [
        { id: "big/1", externalRef: "a#1", kind: "docs" },
        { id: "big/3", externalRef: "a#2" },
      ],
    };
    expect(await call("workload", "POST", "/api/batches/big/tickets", other)).toMatchObject({
      status: 409,
      body: { issues: ["big/1: another ticket of this id was handed in before.", "big/3: its reference a#2 belongs to ticket big/2."] },
    });
    expect(await call("workload", "POST", "/api/batches/references", { references: ["a#2", "a#3"] })).toMatchObject({
      body: { items: [{ reference: "a#2", ticketId: "big/2", state: "waiting" }] },
    });
    expect(rung).toEqual([]);
    expect(await call("viewer", "GET", "/api/batches/big/estimate")).toMatchObject({
      body: { estimate: { tickets: 2, p90MicroUsd: 20_000 }, room: { fits: true, shareOfRemaining: 0.4 } },
    });
    await call("operator", "PUT", "/api/budgets/checkout", { limitMicroUsd: 19_999, periodMs: 3_600_000 });
    expect(await call("workload", "POST", "/api/batches/big/submit")).toMatchObject({
      status: 409,
      body: {
        detail: expect.stringContaining(
          "$0.00 spent + $0.00 reserved + $0.0200 for 2 tickets (p90) = $0.0200, $0.000001 more than the limit",
        ),
      },
    });
    await define();
    expect(await call("workload", "POST", "/api/batches/big/submit")).toMatchObject({
      status: 202,
      body: { state: "open", reservedMicroUsd: 20_000 },
    });
    expect(await call("workload", "POST", "/api/batches/big/submit")).toMatchObject({ status: 202 });
    expect(await call("workload", "POST", "/api/batches/big/tickets", { tickets: [{ id: "big/9" }] })).toMatchObject({ status: 409 });
    expect(await ledger.read("checkout")).toMatchObject({ committedMicroUsd: 20_000 });
  });

  it("sets limits of the version that was read, and streams the batch from where a follower left off", async () => {
    await define();
    await call("workload", "POST", "/api/batches", draft);
    await call("workload", "POST", "/api/batches/big/tickets", piece);
    const { body: before } = await call("viewer", "GET", "/api/batches/big");
    const limits = { ...before.limits, concurrency: 2 };
    expect(await call("operator", "PATCH", "/api/batches/big", { limits, version: before.version })).toMatchObject({
      status: 200,
      body: { concurrencyNow: 2 },
    });
    expect(await call("operator", "PATCH", "/api/batches/big", { limits, version: before.version })).toMatchObject({ status: 409 });
    await call("operator", "POST", "/api/batches/big/cancel", { reason: "no" });
    const stream = async (lastEventId?: string) => {
      const response = await fetch(`${http.url}/api/batches/big/events`, {
        headers: { authorization: "Bearer viewer-token", ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }) },
      });
      return response.text();
    };
    // What was cancelled ends once its tickets have.
    const tickets = createTicketStore({ redis: held.redis, clock });
    for (const { id } of piece.tickets) await tickets.cancel(id, "batch_cancelled");
    const whole = await stream();
    const [, revision = ""] = /^id: (\d+)\nevent: progress\ndata: {"id":"big"/.exec(whole) ?? [];
    expect(whole).toContain(`id: ${revision}\nevent: end\n`);
    expect(await stream(revision)).toBe(`id: ${revision}\nevent: end\ndata: {}\n\n`);
    expect(await stream("x")).toContain("Last-Event-ID is not an id");
  });

  it("tells of usage that will never be counted", async () => {
    client.reportUsage(aUsageReport({ id: "r1", budget: "nobodys" }));
    await client.flush();
    expect(lost).toMatchObject([{ reports: [{ id: "r1" }], why: "unknown_budget" }]);
  });

  it("answers 503 while Redis is gone, so that the client waits and keeps its usage", async () => {
    await define();
    const failing = createFakeClock();
    const broken = connectRedis({ socketPath: "/nonexistent/redis.sock" }, "request");
    const dead = createBudgetLedger({
      redis: broken,
      clock: failing,
      times: contractTimes,
      counts: { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 0, queues: [], batches: [] })) },
    });
    const publish = () => undefined;
    await using other = await startHttp({
      routes: createWorkloadRoutes({ ledger: dead, prices: createPriceTable([]), publish, clock: failing }),
    });
    const cut = createRunbookdClient({ url: other.url, token: "workload-token", clock: failing });
    expect(await cut.admit({ ticketId: "GH-1", budget: "checkout", estimateMicroUsd: 5 })).toMatchObject({
      kind: "wait",
      reason: "unreachable",
    });
    cut.reportUsage(aUsageReport({ id: "r1" }));
    await cut.flush();
    expect(cut.pendingUsage()).toBe(1);
    broken.disconnect();
  });
});
