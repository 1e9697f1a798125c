import { describe, expect, it } from "@jest/globals";
import type { AuditEntry } from "../../../packages/sdk/src/wire/audit.ts";
import type { RolloutSubject } from "../../../packages/sdk/src/wire/rollouts.ts";
import { aModelCatalog, anUnpricedModel, aPricedModel, type ModelSaying } from "../../../test/builders/a-model-catalog.ts";
import { ticketsOfSalt } from "../../../test/contracts/describe-rollout-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { quietPrometheus } from "../../../test/fakes/quiet-prometheus.ts";
import { startHttp } from "../../../test/servers/http-harness.ts";
import { StepFailure } from "../../core/failure.ts";
import { createMemoryRollouts } from "../../rehearsal/memory-rollouts.ts";
import { createRolloutSteering } from "./rollout-steering.ts";
import { createRolloutRoutes } from "./routes.ts";
import type { ShareControl, ShareRequest, Trial } from "./share-control.ts";

const from = { provider: "anthropic", model: "old" };
const to = { provider: "anthropic", model: "new" };

/** Routes of a server whose only route is `implement`, which has the model `old`. */
async function aServer() {
  const clock = createFakeClock();
  const audited: AuditEntry[] = [];
  const store = createMemoryRollouts(clock);
  const shares: (readonly [string, number | "taken back"])[] = [];
  const world: { refuse: string | undefined; trial: Trial | undefined; candidate: ModelSaying } = {
    refuse: undefined,
    trial: undefined,
    candidate: aPricedModel,
  };
  const act = (request: ShareRequest, share: number | "taken back") => {
    if (world.refuse !== undefined) throw new StepFailure({ reason: "refused_by_target", message: world.refuse, applied: "no" });
    shares.push([`${request.rollout} ${request.by}`, share]);
  };
  const model: ShareControl = {
    trialOf: async () => world.trial,
    resolve: async (target): Promise<RolloutSubject | undefined> =>
      target.kind === "model" && target.route !== "nothing" ? { ...target, from } : undefined,
    read: async () => 0,
    set: async (request, share) => act(request, share),
    rollBack: async (request) => act(request, "taken back"),
    complete: async () => undefined,
    followers: async () => ({ followers: 0, current: 0 }),
  };
  const http = await startHttp({
    routes: createRolloutRoutes({
      store,
      steering: createRolloutSteering({
        store,
        controls: { model },
        models: aModelCatalog(() => world.candidate),
        prometheus: quietPrometheus,
        clock,
      }),
      audit: { append: async (entry) => void audited.push(entry) },
      clock,
      newId: () => "rollout_1",
    }),
  });
  const send = async (method: string, path: string, role: string, body?: unknown) => {
    const response = await fetch(`${http.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${role}-token`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: Object(await response.json()) };
  };
  return { http, send, store, clock, audited, shares, world };
}

const plan = { steps: [0.1, 0.5, 1], intervalMs: 60_000, deadlineMs: 600_000, lagMs: 60_000 };
const wanted = { id: "r1", subject: { kind: "model", route: "implement", to }, plan, reason: "cheaper" };
const because = { reason: "looks good" };

it("plans, starts, holds, goes on and takes back, and records who did it", async () => {
  const { http, send, audited, shares } = await aServer();
  await using _ = http;
  const planned = await send("POST", "/api/rollouts", "operator", wanted);
  expect(planned).toMatchObject({
    status: 201,
    body: { id: "r1", subject: { kind: "model", route: "implement", from, to }, state: "planned", step: -1, by: "a operator", salt: "r1" },
  });
  expect(shares).toEqual([]);
  expect(await send("POST", "/api/rollouts/r1/start", "approver", because)).toMatchObject({
    status: 200,
    body: {
      state: "running",
      step: 0,
      largestShare: 0.1,
      decisions: [{ decision: "advance", share: 0.1, by: "a approver", detail: "looks good" }],
    },
  });
  expect((await send("POST", "/api/rollouts/r1/hold", "operator", because)).body.state).toBe("holding");
  expect((await send("POST", "/api/rollouts/r1/start", "approver", because)).body).toMatchObject({
    state: "running",
    step: 0,
    accepted: { misassigned: 0 },
  });
  expect((await send("POST", "/api/rollouts/r1/take-back", "operator", because)).body).toMatchObject({
    state: "rolled_back",
    decisions: [{}, { decision: "hold" }, { reason: "released" }, { decision: "roll_back", reason: "taken_back" }],
  });
  expect((await send("POST", "/api/rollouts/r1/take-back", "operator", because)).status).toBe(200);
  expect(shares).toEqual([
    ["r1 a approver", 0.1],
    ["r1 a operator", "taken back"],
    // Once more when the end is written: a poll may have set the share in between.
    ["r1 a operator", "taken back"],
  ]);
  expect(audited.map(({ kind, by, subject }) => [kind, by, subject])).toEqual([
    ["rollout_created", "a operator", "rollout/r1"],
    ["rollout_started", "a approver", "rollout/r1"],
    ["rollout_held", "a operator", "rollout/r1"],
    ["rollout_started", "a approver", "rollout/r1"],
    ["rollout_taken_back", "a operator", "rollout/r1"],
    ["rollout_taken_back", "a operator", "rollout/r1"],
  ]);
});

it("shows what a rollout has counted and what follows from it, and lists rollouts with their newest decision", async () => {
  const { http, send, store } = await aServer();
  await using _ = http;
  await send("POST", "/api/rollouts", "operator", wanted);
  await send("POST", "/api/rollouts/r1/start", "admin", because);
  const [ticket = ""] = ticketsOfSalt("r1", { from: 0, to: 0.1, count: 1 });
  store.expose(ticket, [{ rollout: "r1", arm: "canary" }]);
  store.expose("other", [{ rollout: "r1", arm: "canary", share: 0.3 }]);
  store.spend(ticket, 700);
  store.end(ticket, "succeeded");
  expect(await send("GET", "/api/rollouts/r1", "viewer")).toMatchObject({
    status: 200,
    body: {
      rollout: { id: "r1", state: "running" },
      strata: [{ step: 0, share: 0.1, canary: { exposed: 1, ended: 1, quality: 1, costMicroUsd: 700 }, baseline: { exposed: 0 } }],
      misassigned: 1,
      verdict: { tickets: 1, quality: null, sufficient: false, strata: [{ weight: 0 }] },
    },
  });
  const { items } = (await send("GET", "/api/rollouts", "viewer")).body;
  expect(items).toMatchObject([{ id: "r1", decision: { decision: "advance" } }]);
  expect(items[0].decisions).toBeUndefined();
  expect((await send("GET", "/api/rollouts/r2", "viewer")).status).toBe(404);
});

describe("refuses, and changes nothing", () => {
  it.each([
    ["steps that do not grow", { ...wanted, plan: { ...plan, steps: [0.5, 0.5, 1] } }, 400, "shares that grow"],
    ["steps that a holdback makes equal", { ...wanted, plan: { ...plan, steps: [0.5, 0.96, 1] } }, 400, "The steps do not grow"],
    ["a step of more than all", { ...wanted, plan: { ...plan, steps: [0.5, 1.5] } }, 400, "plan.steps.1"],
    ["no deadline", { ...wanted, plan: { ...plan, deadlineMs: undefined } }, 400, "plan.deadlineMs"],
    ["a model that the route has already", { ...wanted, subject: { ...wanted.subject, to: from } }, 400, "from and to are the same"],
    ["a route that does not exist", { ...wanted, subject: { ...wanted.subject, route: "nothing" } }, 404, "There is no route nothing"],
    ["a flag", { ...wanted, subject: { kind: "flag", flag: "f", to: "on" } }, 400, "no shares of a flag"],
    ["no reason", { ...wanted, reason: " " }, 400, "reason"],
    ["a field that is not known", { ...wanted, speed: 3 }, 400, "speed"],
  ])("%s", async (_name, body, status, text) => {
    const { http, send, store, shares } = await aServer();
    await using _ = http;
    const answer = await send("POST", "/api/rollouts", "operator", body);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(text);
    expect([await store.list(), shares]).toEqual([[], []]);
  });

  it.each([
    ["is retired", { ...aPricedModel, lifecycle: "retired" } as const],
    ["has no price", anUnpricedModel],
  ])("a model that %s", async (text, candidate) => {
    const { http, send, store, world } = await aServer();
    await using _ = http;
    world.candidate = candidate;
    const answer = await send("POST", "/api/rollouts", "operator", wanted);
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining(text) } });
    expect(await store.list()).toEqual([]);
  });

  it("no model without a price when the plan has no limit of cost, and none of which nothing is known", async () => {
    const { http, send, world } = await aServer();
    await using _ = http;
    world.candidate = { ...anUnpricedModel, lifecycle: "unknown", source: "none" };
    expect((await send("POST", "/api/rollouts", "operator", { ...wanted, plan: { ...plan, costLimit: null } })).status).toBe(201);
  });

  it("the id of a rollout that has ended", async () => {
    const { http, send } = await aServer();
    await using _ = http;
    await send("POST", "/api/rollouts", "operator", wanted);
    await send("POST", "/api/rollouts/r1/take-back", "operator", because);
    const answer = await send("POST", "/api/rollouts", "operator", wanted);
    expect(answer).toMatchObject({ status: 409, body: { detail: "Rollout r1 has ended (rolled_back), and that is final." } });
  });

  it("a second rollout of a target, and an id that has another one", async () => {
    const { http, send, store, audited } = await aServer();
    await using _ = http;
    await send("POST", "/api/rollouts", "operator", wanted);
    expect((await send("POST", "/api/rollouts", "operator", wanted)).status).toBe(201);
    const second = await send("POST", "/api/rollouts", "operator", { ...wanted, id: "r2" });
    expect(second).toMatchObject({ status: 409, body: { detail: expect.stringContaining("Rollout r1 of route implement is planned") } });
    const other = await send("POST", "/api/rollouts", "operator", { ...wanted, plan: { ...plan, margin: 0.2 } });
    expect(other).toMatchObject({ status: 409, body: { detail: expect.stringContaining("The id r1 has another rollout") } });
    expect((await store.list()).map(({ id, version }) => [id, version])).toEqual([["r1", 1]]);
    expect(audited.at(-1)).toMatchObject({ kind: "rollout_refused", detail: { order: "rollout_created" } });
  });

  it("a target that a person gives a share of already", async () => {
    const { http, send, store, world } = await aServer();
    await using _ = http;
    world.trial = { subject: { kind: "model", route: "implement", from, to }, share: 0.2, salt: "x" };
    const answer = await send("POST", "/api/rollouts", "operator", wanted);
    expect(answer).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("20 % of the tickets of route implement get anthropic/new now, set by a person") },
    });
    expect(await store.list()).toEqual([]);
  });

  it("a start that the route refuses: the rollout is planned again", async () => {
    const { http, send, store, world } = await aServer();
    await using _ = http;
    await send("POST", "/api/rollouts", "operator", wanted);
    world.refuse = "Route implement was changed meanwhile.";
    expect(await send("POST", "/api/rollouts/r1/start", "approver", because)).toMatchObject({
      status: 409,
      body: { detail: world.refuse },
    });
    expect(await store.read("r1")).toMatchObject({ state: "planned", step: -1, decisions: [{}, { reason: "share_refused" }] });
    expect((await send("POST", "/api/rollouts/r1/take-back", "operator", because)).status).toBe(409);
    expect((await store.read("r1"))?.state).toBe("planned");
  });

  it("to hold what has no share, and to start or hold what has ended", async () => {
    const { http, send } = await aServer();
    await using _ = http;
    await send("POST", "/api/rollouts", "operator", wanted);
    expect((await send("POST", "/api/rollouts/r1/hold", "operator", because)).status).toBe(409);
    await send("POST", "/api/rollouts/r1/take-back", "operator", because);
    for (const order of ["start", "hold"]) expect((await send("POST", `/api/rollouts/r1/${order}`, "admin", because)).status).toBe(409);
    for (const order of ["start", "hold", "take-back"])
      expect((await send("POST", `/api/rollouts/r9/${order}`, "admin", because)).status).toBe(404);
  });

  it.each([
    ["POST", "/api/rollouts", ["viewer", "workload"]],
    ["POST", "/api/rollouts/r1/start", ["viewer", "operator", "workload"]],
    ["POST", "/api/rollouts/r1/hold", ["viewer", "workload"]],
    ["POST", "/api/rollouts/r1/take-back", ["viewer", "workload"]],
    ["PUT", "/api/tickets/T-1/quality", ["viewer", "approver"]],
  ])("%s %s of others than those who may", async (method, path, roles) => {
    const { http, send } = await aServer();
    await using _ = http;
    for (const role of roles) expect((await send(method, path, role, because)).status).toBe(403);
  });
});

it("revises the quality of a ticket, and says why it does not", async () => {
  const { http, send, store, clock, audited } = await aServer();
  await using _ = http;
  await send("POST", "/api/rollouts", "operator", wanted);
  await send("POST", "/api/rollouts/r1/start", "admin", because);
  audited.length = 0;
  const [ticket = ""] = ticketsOfSalt("r1", { from: 0, to: 0.1, count: 1 });
  const path = `/api/tickets/${ticket}/quality`;
  const judged = { quality: 0.5, reason: "half of it is right" };
  expect((await send("PUT", path, "workload", judged)).status).toBe(404);
  store.expose(ticket, [{ rollout: "r1", arm: "canary" }]);
  expect((await send("PUT", path, "workload", judged)).status).toBe(409);
  store.end(ticket, "succeeded");
  expect(await send("PUT", path, "workload", judged)).toMatchObject({ status: 200, body: { result: "revised", rollouts: 1 } });
  expect(audited).toEqual([]);
  expect(await send("PUT", path, "operator", judged)).toMatchObject({ status: 200, body: { result: "unchanged" } });
  expect(audited).toMatchObject([{ kind: "ticket_quality_set", subject: `ticket/${ticket}`, detail: judged }]);
  for (const quality of [7, -1, "1", null]) expect((await send("PUT", path, "workload", { quality, reason: "x" })).status).toBe(400);
  await clock.advance(plan.lagMs + 1);
  expect((await send("PUT", path, "workload", { quality: 0, reason: "too late" })).status).toBe(409);
  expect((await store.strata("r1"))[0]?.canary.quality).toBe(0.5);
});

describe("a rollout that no run drives grows when a person says so", () => {
  /** Half of the tickets in each arm, all of them alike. */
  async function aRunningRollout(outcome: { readonly canary: "succeeded" | "failed" }) {
    const server = await aServer();
    const { send, store, clock } = server;
    await send("POST", "/api/rollouts", "operator", { ...wanted, plan: { ...plan, steps: [0.5, 1] } });
    await send("POST", "/api/rollouts/r1/start", "approver", because);
    const work = (tickets: readonly string[], arm: "canary" | "baseline") => {
      for (const ticket of tickets) {
        store.expose(ticket, [{ rollout: "r1", arm }]);
        store.spend(ticket, 1000);
        store.end(ticket, arm === "canary" ? outcome.canary : "succeeded");
      }
    };
    work(ticketsOfSalt("r1", { from: 0, to: 0.5, count: 300 }), "canary");
    work(ticketsOfSalt("r1", { from: 0.5, to: 1, count: 300 }), "baseline");
    const grow = async () => send("POST", "/api/rollouts/r1/grow", "approver", because);
    return { ...server, grow, work, pass: async () => clock.advance(plan.intervalMs) };
  }

  it("to the next step once its counts permit it, and never before", async () => {
    const { http, grow, pass, shares, audited } = await aRunningRollout({ canary: "succeeded" });
    await using _ = http;
    expect(await grow()).toMatchObject({ status: 409, body: { detail: expect.stringContaining("Rollout r1 does not grow.") } });
    await pass();
    expect(await grow()).toMatchObject({ status: 200, body: { state: "running", step: 1, largestShare: 0.95 } });
    expect(shares.at(-1)).toEqual(["r1 a approver", 0.95]);
    expect(audited.map(({ kind }) => kind)).toEqual(["rollout_created", "rollout_started", "rollout_refused", "rollout_grown"]);
  });

  it("to every ticket behind the last step", async () => {
    const { http, grow, work, pass, store } = await aRunningRollout({ canary: "succeeded" });
    await using _ = http;
    await pass();
    await grow();
    await pass();
    work(ticketsOfSalt("r1", { from: 0.5, to: 0.95, count: 400 }).slice(300), "canary");
    work(ticketsOfSalt("r1", { from: 0.95, to: 1, count: 40 }).slice(30), "baseline");
    expect(await grow()).toMatchObject({ status: 200, body: { state: "promoted" } });
    expect((await store.read("r1"))?.decisions.slice(-2)).toMatchObject([
      { decision: "finish", by: "a approver" },
      { decision: "finish", reason: "completed", detail: "looks good" },
    ]);
    expect((await grow()).status).toBe(200);
  });

  it("not at all when the canary is worse, which takes it back", async () => {
    const { http, grow, pass, store } = await aRunningRollout({ canary: "failed" });
    await using _ = http;
    await pass();
    expect(await grow()).toMatchObject({ status: 409, body: { detail: expect.stringContaining("Rollout r1 was taken back.") } });
    expect((await store.read("r1"))?.state).toBe("rolled_back");
  });

  it("not for an operator, not while a run drives it, and not before it was started", async () => {
    const { http, send, store } = await aServer();
    await using _ = http;
    expect((await send("POST", "/api/rollouts/r1/grow", "approver", because)).status).toBe(404);
    await send("POST", "/api/rollouts", "operator", wanted);
    expect((await send("POST", "/api/rollouts/r1/grow", "operator", because)).status).toBe(403);
    expect(await send("POST", "/api/rollouts/r1/grow", "approver", because)).toMatchObject({
      status: 409,
      body: { detail: "Rollout r1 is planned. Start it first, which also lets a held one go on." },
    });
    const { version = 0 } = (await store.read("r1")) ?? {};
    await store.change({ id: "r1", expected: version, set: { runId: "run_7" } });
    expect(await send("POST", "/api/rollouts/r1/grow", "approver", because)).toMatchObject({
      status: 409,
      body: { detail: "Run run_7 drives rollout r1, and asks people when it may grow." },
    });
  });
});
