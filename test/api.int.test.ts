import { describe, expect, it } from "@jest/globals";
import type { JournalEntry } from "../packages/sdk/src/wire/journal.ts";
import type { Question } from "../packages/sdk/src/wire/questions.ts";
import type { RunSummary } from "../packages/sdk/src/wire/runs.ts";
import { createAdminRoutes } from "../src/alerts/admin-routes.ts";
import { createRejectedSamples } from "../src/alerts/rejected-samples.ts";
import type { AnswerResult } from "../src/approvals/approval-service.ts";
import { createApprovalRoutes } from "../src/approvals/routes.ts";
import { createRunbookRoutes } from "../src/runbooks/routes.ts";
import { createRunRoutes } from "../src/runs/routes.ts";
import type { ControlResult, StartResult } from "../src/runs/run-control.ts";
import type { RunReader } from "../src/runs/run-reader.ts";
import { aRunbook, aStep } from "./builders/a-runbook.ts";
import { createFakeClock } from "./fakes/fake-clock.ts";
import { type HttpHarness, startHttp } from "./servers/http-harness.ts";

const summary: RunSummary = {
  id: "run_1",
  runbookId: "cost",
  runbookSha: "a".repeat(64),
  mode: "auto",
  state: "running",
  source: "webhook",
  acceptedAt: 1,
};
const journal: readonly JournalEntry[] = [
  {
    kind: "accepted",
    at: 1,
    runId: "run_1",
    request: { runbookId: "cost", runbookSha: "a".repeat(64), mode: "auto", params: {}, source: "webhook" },
  },
  { kind: "claimed", at: 2, epoch: 1, worker: "w\nevent: forged" },
  { kind: "finished", at: 3, epoch: 1, outcome: "succeeded", reason: "Done." },
];
const question: Question = {
  id: "q_1",
  runId: "run_1",
  runbookId: "cost",
  stepId: "resume",
  kind: "approve",
  text: "Resume?",
  answers: ["approve", "reject"],
  planSha: "b".repeat(64),
  askedAt: 1,
  role: "approver",
};

interface Told {
  readonly calls: unknown[];
  reply: StartResult & ControlResult;
  answer: AnswerResult;
}

async function startApi(
  options: { follow?: RunReader["follow"]; limits?: { maxEventStreams: number } } = {},
): Promise<AsyncDisposable & { readonly http: HttpHarness; readonly told: Told }> {
  const told: Told = { calls: [], reply: { kind: "ok", runId: "run_2" }, answer: { kind: "ok", runId: "run_1" } };
  const tell = async (...call: unknown[]) => {
    told.calls.push(call);
    return told.reply;
  };
  const runbook = aRunbook([aStep("look", { action: null })], { id: "cost", source: "# Runbook: Cost\n" });
  const samples = createRejectedSamples();
  const http = await startHttp({
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    routes: [
      ...createRunRoutes({
        reader: {
          async list(filter, page) {
            told.calls.push({ filter, page });
            return page.cursor === "forged" ? undefined : { items: [summary], nextCursor: "next" };
          },
          get: async (id) => (id === "run_1" ? { summary, journal } : undefined),
          follow:
            options.follow ??
            async function* (_id, after) {
              for (const [index, entry] of journal.entries()) if (index > after) yield { index, entry };
            },
        },
        control: {
          start: async (request) => tell("start", request),
          abort: async (...call) => tell("abort", ...call),
          resume: async (...call) => tell("resume", ...call),
          rerun: async (...call) => tell("rerun", ...call),
        },
      }),
      ...createApprovalRoutes({
        approvalService: {
          list: async () => [{ question, consents: [], missing: 1 }],
          find: async (id) => (id === "q_1" ? { question, consents: [], missing: 1 } : undefined),
          async answer(...call) {
            told.calls.push(call);
            return told.answer;
          },
        },
        answeredQuestions: async ({ cursor }) => (cursor === undefined ? { items: [], nextCursor: "next" } : undefined),
        clock: createFakeClock(1000),
      }),
      ...createRunbookRoutes({
        list: () => [
          { id: "cost", file: "cost.md", source: runbook.source, runbook, diagnostics: [] },
          {
            id: "broken",
            file: "broken.md",
            source: "#",
            diagnostics: [
              { file: "broken.md", position: { line: 1, column: 1 }, severity: "error", rule: "no-procedure", message: "x", accepted: "y" },
            ],
          },
        ],
        get: (id) => (id === "cost" ? { id, file: "cost.md", source: runbook.source, runbook, diagnostics: [] } : undefined),
      }),
      ...createAdminRoutes(samples),
    ],
  });
  return { http, told, [Symbol.asyncDispose]: async () => http[Symbol.asyncDispose]() };
}

async function call(
  http: HttpHarness,
  method: string,
  path: string,
  options: { role?: string; body?: unknown; headers?: Record<string, string> } = {},
) {
  const { role = "admin", body, headers = {} } = options;
  const response = await fetch(`${http.url}${path}`, {
    method,
    headers: {
      ...(role === "" ? {} : { authorization: `Bearer ${role}-token` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  const answer: { [name: string]: unknown } = isJson && text !== "" ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, text, answer };
}

const people = ["viewer", "operator", "approver", "admin"];

const permissions: readonly [string, string, unknown, readonly string[]][] = [
  ["GET", "/api/runs", undefined, people],
  ["GET", "/api/runs/run_1", undefined, people],
  ["GET", "/api/runs/run_1/events", undefined, people],
  ["POST", "/api/runs", { runbook: "cost" }, ["operator", "admin"]],
  ["POST", "/api/runs/run_1/abort", { reason: "x" }, ["operator", "admin"]],
  ["POST", "/api/runs/run_1/resume", undefined, ["operator", "admin"]],
  ["POST", "/api/runs/run_1/rerun", undefined, ["operator", "admin"]],
  ["GET", "/api/approvals", undefined, people],
  ["POST", "/api/approvals/q_1", { answer: "approve", reason: "x" }, ["operator", "approver", "admin"]],
  ["GET", "/api/runbooks", undefined, people],
  ["GET", "/api/runbooks/cost", undefined, people],
  ["GET", "/api/rejected-notifications", undefined, ["admin"]],
];

describe("roles", () => {
  it.each(permissions)("%s %s answers the roles that it names and nobody else", async (method, path, body, who) => {
    await using api = await startApi();
    const { http } = api;
    for (const role of [...people, "workload"]) {
      const { status } = await call(http, method, path, { role, body });
      expect([role, status < 300 ? "answered" : status]).toEqual([role, who.includes(role) ? "answered" : 403]);
    }
  });

  it.each(permissions)("%s %s is closed without a valid token", async (method, path, body) => {
    await using api = await startApi();
    const { http, told } = api;
    for (const authorization of ["", "Bearer nobody", "Basic YWRtaW46YWRtaW4tdG9rZW4=", "Bearer", "Bearer admin-token x"]) {
      const { status, answer } = await call(http, method, path, { role: "", body, headers: { authorization } });
      expect([status, answer["type"]]).toEqual([401, "urn:problem-type:runbookd:unauthenticated"]);
    }
    expect(told.calls).toEqual([]);
  });

  it.each(["cross-site", "same-site"])("refuses what a browser sends as %s, valid token or not", async (site) => {
    await using api = await startApi();
    const { http, told } = api;
    const { status } = await call(http, "POST", "/api/approvals/q_1", {
      body: { answer: "approve", reason: "x" },
      headers: { "sec-fetch-site": site },
    });
    expect(status).toBe(403);
    expect(told.calls).toEqual([]);
  });
});

describe("requests of a run", () => {
  it.each([
    ["POST", "/api/runs", { runbook: "cost" }],
    ["POST", "/api/runs/run_1/rerun", {}],
    ["POST", "/api/runs/run_1/abort", { reason: "x" }],
    ["POST", "/api/approvals/q_1", { answer: "approve", reason: "x" }],
  ] as const)("cannot %s %s, whatever token the document holds: a run may not trigger a run", async (method, path, body) => {
    await using api = await startApi();
    const { http, told } = api;
    const { status } = await call(http, method, path, { role: "admin", body, headers: { "runbookd-run": "run_9" } });
    expect(status).toBe(403);
    expect(told.calls).toEqual([]);
  });

  it("may read", async () => {
    await using api = await startApi();
    expect((await call(api.http, "GET", "/api/runs", { role: "admin", headers: { "runbookd-run": "run_9" } })).status).toBe(200);
  });
});

describe("requests that do not fit", () => {
  it.each(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])("cannot decide by %s", async (method) => {
    await using api = await startApi();
    const { http, told } = api;
    expect((await call(http, method, "/api/approvals/q_1")).status).toBe(405);
    expect(told.calls).toEqual([]);
  });

  it.each([
    ["a key twice", "state=running&state=ended"],
    ["a key with brackets", "a[__proto__]=1"],
    ["an unknown key", "role=admin"],
    ["a state that is none", "state=sleeping"],
    ["a limit of nothing", "limit=0"],
    ["a limit beyond the page", "limit=201"],
    ["a limit that is no number", "limit=ten"],
    ["a cursor that was not given out", "cursor=forged"],
  ])("get 400 with %s in the query", async (_name, query) => {
    await using api = await startApi();
    const { http } = api;
    const { status, answer } = await call(http, "GET", `/api/runs?${query}`);
    expect([status, answer["type"]]).toEqual([400, "urn:problem-type:runbookd:invalid-request"]);
  });

  it.each<[string, unknown, Record<string, string>, number]>([
    ["an unknown field", { runbook: "cost", role: "admin" }, {}, 400],
    ["no runbook", { params: {} }, {}, 400],
    ["a mode that is none", { runbook: "cost", mode: "yolo" }, {}, 400],
    ["params that are a list", { runbook: "cost", params: [] }, {}, 400],
    ["text/plain that holds JSON", { runbook: "cost" }, { "content-type": "text/plain" }, 415],
    ["a form", { runbook: "cost" }, { "content-type": "application/x-www-form-urlencoded" }, 415],
    ["more than a quarter of a megabyte", { runbook: "x".repeat(300_000) }, {}, 413],
  ])("get refused with %s in the body", async (_name, body, headers, expected) => {
    await using api = await startApi();
    const { http, told } = api;
    const { status, headers: answered } = await call(http, "POST", "/api/runs", { body, headers });
    expect([status, answered.get("content-type")]).toEqual([expected, "application/problem+json; charset=utf-8"]);
    expect(told.calls).toEqual([]);
  });
});

describe("runs", () => {
  it("are listed by filter and page", async () => {
    await using api = await startApi();
    const { http, told } = api;
    const { answer } = await call(
      http,
      "GET",
      "/api/runs?state=ended&outcome=failed&runbook=cost&target=budget%2Fcheckout&cursor=abc&limit=7",
    );
    expect(answer).toEqual({ items: [summary], nextCursor: "next" });
    expect(told.calls).toEqual([
      { filter: { state: "ended", outcome: "failed", runbookId: "cost", target: "budget/checkout" }, page: { cursor: "abc", limit: 7 } },
    ]);
  });

  it("are shown with their journal, and 404 when there is none", async () => {
    await using api = await startApi();
    const { http } = api;
    expect((await call(http, "GET", "/api/runs/run_1")).answer).toEqual({ summary, journal });
    expect((await call(http, "GET", "/api/runs/run_9")).status).toBe(404);
  });

  it("are started in the caller's name", async () => {
    await using api = await startApi();
    const { http, told } = api;
    const { status, answer } = await call(http, "POST", "/api/runs", {
      role: "operator",
      body: { runbook: "cost", params: { budget: "checkout" }, mode: "observe" },
    });
    expect([status, answer]).toEqual([202, { runId: "run_2" }]);
    expect(told.calls).toEqual([
      ["start", { runbookId: "cost", params: { budget: "checkout" }, mode: "observe", requester: "a operator" }],
    ]);
  });

  it.each<[StartResult, number, string]>([
    [{ kind: "conflict", reason: "It is open." }, 409, "conflict"],
    [{ kind: "not_found" }, 404, "not-found"],
    [{ kind: "invalid", issues: ["params.budget is missing"] }, 400, "invalid-request"],
  ])("that cannot start answer %j", async (reply, status, type) => {
    await using api = await startApi();
    const { http, told } = api;
    Object.assign(told, { reply });
    const answered = await call(http, "POST", "/api/runs", { body: { runbook: "cost" } });
    expect([answered.status, answered.answer["type"]]).toEqual([status, `urn:problem-type:runbookd:${type}`]);
  });

  it("are aborted with a reason, resumed and rerun in the caller's name", async () => {
    await using api = await startApi();
    const { http, told } = api;
    expect((await call(http, "POST", "/api/runs/run_1/abort", { body: { reason: " " } })).status).toBe(400);
    await call(http, "POST", "/api/runs/run_1/abort", { body: { reason: "wrong budget" } });
    await call(http, "POST", "/api/runs/run_1/resume");
    await call(http, "POST", "/api/runs/run_1/rerun");
    expect(told.calls).toEqual([
      ["abort", "run_1", "a admin", "wrong budget"],
      ["resume", "run_1", "a admin"],
      ["rerun", "run_1", "a admin", "present"],
    ]);
  });

  it("are rerun with the document of the first run by an admin only", async () => {
    await using api = await startApi();
    const { http, told } = api;
    const pinned = "/api/runs/run_1/rerun?document=pinned";
    expect((await call(http, "POST", pinned, { role: "operator" })).answer["type"]).toBe("urn:problem-type:runbookd:forbidden");
    expect((await call(http, "POST", "/api/runs/run_1/rerun?document=older")).status).toBe(400);
    expect(told.calls).toEqual([]);
    await call(http, "POST", pinned);
    expect(told.calls).toEqual([["rerun", "run_1", "a admin", "pinned"]]);
  });
});

describe("events of a run", () => {
  it("are the journal from its beginning, one entry per event, then the end", async () => {
    await using api = await startApi();
    const { http } = api;
    const { text, headers } = await call(http, "GET", "/api/runs/run_1/events");
    expect(headers.get("content-type")).toContain("text/event-stream");
    const events = text.trim().split("\n\n");
    expect(events.map((event) => event.split("\n").slice(0, 2))).toEqual([
      ["id: 0", "event: accepted"],
      ["id: 1", "event: claimed"],
      ["id: 2", "event: finished"],
      ["id: 2", "event: end"],
    ]);
    expect(text.match(/^event: forged/m)).toBeNull();
  });

  it("go on behind Last-Event-ID", async () => {
    await using api = await startApi();
    const { http } = api;
    const { text } = await call(http, "GET", "/api/runs/run_1/events", { headers: { "last-event-id": "1" } });
    expect(text.match(/^id: .*$/gm)).toEqual(["id: 2", "id: 2"]);
  });

  it.each(["x", "-1", "1.5", "9".repeat(30)])("refuse the Last-Event-ID %s", async (id) => {
    await using api = await startApi();
    const { http } = api;
    expect((await call(http, "GET", "/api/runs/run_1/events", { headers: { "last-event-id": id } })).status).toBe(400);
  });

  it("of a run that does not exist are 404", async () => {
    await using api = await startApi();
    const { http } = api;
    expect((await call(http, "GET", "/api/runs/run_9/events")).status).toBe(404);
  });

  it("end with the process, and are not more at once than is allowed", async () => {
    let following: AbortSignal | undefined;
    await using api = await startApi({
      limits: { maxEventStreams: 1 },
      async *follow(_id, _after, signal) {
        following = signal;
        for (const entry of journal.slice(0, 1)) yield { index: 0, entry };
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      },
    });
    const { http } = api;
    const open = await fetch(`${http.url}/api/runs/run_1/events`, { headers: { authorization: "Bearer viewer-token" } });
    expect((await call(http, "GET", "/api/runs/run_1/events")).status).toBe(503);
    http.closing.abort();
    expect(await open.text()).toContain("event: accepted");
    expect(following?.aborted).toBe(true);
  });

  it("that break off cut the connection instead of looking complete", async () => {
    await using api = await startApi({
      async *follow() {
        for (const entry of journal.slice(0, 1)) yield { index: 0, entry };
        throw new Error("the store went away");
      },
    });
    const { http } = api;
    const open = await fetch(`${http.url}/api/runs/run_1/events`, { headers: { authorization: "Bearer viewer-token" } });
    await expect(open.text()).rejects.toThrow("terminated");
    expect(http.logged.join("")).toContain("the store went away");
  });
});

describe("questions", () => {
  it("are listed", async () => {
    await using api = await startApi();
    const { http } = api;
    expect((await call(http, "GET", "/api/approvals", { role: "approver" })).answer).toEqual({
      items: [{ question, consents: [], missing: 1 }],
    });
  });

  it("are answered in the caller's name and role, for the plan that was read", async () => {
    await using api = await startApi();
    const { http, told } = api;
    const body = { answer: "approve", reason: "agreed", planSha: "b".repeat(64) };
    expect(await call(http, "POST", "/api/approvals/q_1", { role: "approver", body })).toMatchObject({
      status: 202,
      answer: { runId: "run_1" },
    });
    expect(told.calls).toEqual([["q_1", { ...body, by: "a approver", role: "approver", at: 1000 }]]);
  });

  it.each<[AnswerResult, number, string]>([
    [{ kind: "already", answer: { answer: "reject", by: "ann", reason: "no", at: 1 } }, 409, "already-answered"],
    [{ kind: "plan_changed" }, 409, "plan-changed"],
    [{ kind: "expired" }, 410, "expired"],
    [{ kind: "not_permitted", reason: "It was you who asked." }, 403, "forbidden"],
    [{ kind: "unknown_answer", answers: ["approve", "reject"] }, 400, "invalid-request"],
    [{ kind: "not_found" }, 404, "not-found"],
  ])("that cannot be answered say %j", async (reply, status, type) => {
    await using api = await startApi();
    const { http, told } = api;
    told.answer = reply;
    const answered = await call(http, "POST", "/api/approvals/q_1", { body: { answer: "approve", reason: "x" } });
    expect([answered.status, answered.answer["type"]]).toEqual([status, `urn:problem-type:runbookd:${type}`]);
  });
});

describe("runbooks", () => {
  it("are a catalogue in which a broken file shows", async () => {
    await using api = await startApi();
    const { http } = api;
    const { answer } = await call(http, "GET", "/api/runbooks", { role: "viewer" });
    expect(answer).toMatchObject({
      items: [
        { id: "cost", usable: true, errors: 0, steps: [{ id: "look", action: null }] },
        { id: "broken", usable: false, errors: 1 },
      ],
    });
  });

  it("are shown with their source, and 404 when there is none", async () => {
    await using api = await startApi();
    const { http } = api;
    expect((await call(http, "GET", "/api/runbooks/cost")).answer).toMatchObject({ source: "# Runbook: Cost\n", diagnostics: [] });
    expect((await call(http, "GET", "/api/runbooks/..%2Fetc%2Fpasswd")).status).toBe(404);
  });
});

describe("GET /openapi.json", () => {
  const isOperation = (method: string) => ["get", "post", "put", "patch", "delete"].includes(method);

  it("describes every route that is mounted, and nothing that is not", async () => {
    await using api = await startApi();
    const { http } = api;
    const description: { paths: Record<string, Record<string, { security: unknown[] }>> } = JSON.parse(
      (await call(http, "GET", "/openapi.json", { role: "" })).text,
    );
    const described = Object.entries(description.paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter(isOperation)
        .map((method) => `${method} ${path}`),
    );
    const mounted = http.mounted
      .filter(({ method }) => isOperation(method))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(described.length).toBeGreaterThan(permissions.length);
    expect(described.sort()).toEqual(mounted.sort());
  });

  it("refers only to what it defines", async () => {
    await using api = await startApi();
    const { text } = await call(api.http, "GET", "/openapi.json", { role: "" });
    const description: { components: { schemas: object } } = JSON.parse(text);
    const referred = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, place]) => place);
    const defined = Object.keys(description.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(referred.filter((place) => !defined.includes(place ?? ""))).toEqual([]);
    expect(defined.filter((place) => !referred.includes(place))).toEqual([]);
  });

  it("describes queries, bodies, roles and problems", async () => {
    await using api = await startApi();
    const { http } = api;
    const { answer } = await call(http, "GET", "/openapi.json", { role: "" });
    expect(answer).toMatchObject({
      openapi: "3.1.0",
      paths: {
        "/api/runs": {
          get: {
            "x-roles": people,
            parameters: expect.arrayContaining([expect.objectContaining({ name: "limit", in: "query", required: false })]),
          },
          post: { requestBody: { content: { "application/json": { schema: { required: ["runbook"] } } } } },
        },
        "/api/approvals/{id}": { post: { responses: { 202: {}, 404: {}, 409: {}, 410: {} } } },
        "/webhooks/alertmanager": { post: { responses: { 202: {}, 400: {}, 401: {}, 413: {}, 503: {} } } },
      },
    });
    expect(answer).not.toMatchObject({ paths: { "/webhooks/alertmanager": { post: { responses: { 429: {} } } } } });
  });
});
