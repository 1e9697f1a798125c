import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { z } from "zod";
import { createSystemClock } from "../src/core/clock.ts";
import { createSystemRandom } from "../src/core/random.ts";
import { type Role, roles } from "../src/core/role.ts";
import { createEvidenceStore } from "../src/llm/features/redis-evidence.ts";
import { tokenFilePath } from "../src/platform/config/data-folder.ts";
import { createTokenFile } from "../src/platform/http/token-file.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { anEvidence } from "./contracts/describe-evidence.ts";
import { aNewVersion } from "./contracts/describe-prompt-store.ts";
import { type DescribedAnswers, readDescription } from "./servers/described-answers.ts";
import { aFiringAlert, aWebhookBody, webhookToken } from "./servers/post-alerts.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { aProductFolder, aWaitingRunbook, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";
import { until } from "./servers/until.ts";

/** The real server over a real Redis answers exactly what GET /openapi.json describes: every route, with what its stores really hold. */
const approvalRunbook = `---
triggers: [PauseAlert]
target: budget/checkout
mode: auto
owner: ada
tags: [cost]
params:
  why: { type: string, default: "a test", enum: ["a test", "more"], description: "Shown to people." }
---
# Runbook: Pause

## Scenario
Something costs too much.

## Prerequisites
- It is known: \`1 == 1\`

## Procedure

### Stop

1. **Pause the budget**: Nothing begins any more.
   - Action: \`pause-batches\`
     \`\`\`yaml
     budget: checkout
     reason: "\${{ params.why }}"
     \`\`\`
   - Expected: \`result.paused == true\`
   - If this fails: retry 1 times every 1s, then undo
   - Approval: approver within 1h
   - Undo: \`resume-batches\`
     \`\`\`yaml
     budget: checkout
     reason: "It is over."
     \`\`\`

2. **Look at it**: A person does this.

## Verification
- A person looks at the costs.

## Post-Action
- Tell the team.
`;

let redis: RedisServer;
let folder: ProductFolder;
let product: RunningProduct;
let described: DescribedAnswers;
const tokens = new Map<Role, string>();

beforeAll(async () => {
  redis = await startRedisServer();
  folder = await aProductFolder({
    "wait.md": aWaitingRunbook("WaitAlert"),
    "start.md": aWaitingRunbook("StartAlert").replace(/^target: .*\n/m, ""),
    "pause.md": approvalRunbook,
    "broken.md": "# Nothing\n",
  });
  const file = createTokenFile(tokenFilePath(folder.path), { clock: createSystemClock(), random: createSystemRandom() });
  for (const role of roles) tokens.set(role, (await file.create(`a-${role}`, role)) ?? "");
  product = await startProduct(folder.path, { env: { REDIS_URL: `unix://${redis.socketPath}` } });
  described = await readDescription(product.url);
});

afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

interface Call {
  /** Values of the path's `{names}`, in order. */
  readonly at?: readonly string[];
  readonly query?: string;
  readonly body?: unknown;
  readonly token?: string;
  readonly role?: Role;
}

function addressOf(route: string, { at = [], query = "" }: Call): string {
  const values = [...at];
  const path = route.split(" ")[1] ?? "";
  return `${product.url}${path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(values.shift() ?? ""))}${query}`;
}

/** The body of a success, held against the description. */
async function ask(route: string, call: Call = {}): Promise<unknown> {
  const { body, role = "admin", token = tokens.get(role) } = call;
  const response = await fetch(addressOf(route, call), {
    method: route.split(" ")[0] ?? "",
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  described.check({ route, status: response.status, body: answer });
  return answer;
}

/** The first `count` events of a stream, held against the description. */
async function follow(route: string, at: string, count: number): Promise<void> {
  const cut = new AbortController();
  const call = { at: [at] };
  const response = await fetch(addressOf(route, call), {
    headers: { authorization: `Bearer ${tokens.get("viewer")}` },
    signal: cut.signal,
  });
  let text = "";
  let events: readonly string[] = [];
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    events = text.split("\n\n").filter((event) => event.startsWith("id:"));
    if (events.length >= count) break;
  }
  cut.abort();
  for (const event of events.slice(0, count)) {
    const [, name = "", data = ""] = /^event: (.*)\ndata: (.*)$/m.exec(event) ?? [];
    described.check({ route, status: response.status, type: "text/event-stream", body: { event: name, data: JSON.parse(data) } });
  }
}

const list = z.looseObject({ items: z.array(z.looseObject({})) });
const items = async (route: string, call: Call = {}) => list.parse(await ask(route, call)).items;
const runOf = (answer: unknown) => z.looseObject({ runId: z.string() }).parse(answer).runId;

it("answers about budgets, admissions and usage", async () => {
  const id = ["checkout"];
  const budget = { limitMicroUsd: 50_000_000, profile: Array.from({ length: 168 }, () => 1 / 168) };
  await ask("PUT /api/budgets/{id}", { at: id, body: budget });
  await ask("PATCH /api/budgets/{id}", {
    at: id,
    body: { gate: "paused", pausedForMs: 1, stopRunning: true, limits: { concurrency: 4 }, reason: "a test" },
  });
  await ask("PATCH /api/budgets/{id}", { at: id, body: { gate: "open", reason: "a test" } });
  const ticket = { ticketId: "T-1", budget: "checkout", estimateMicroUsd: 1000 };
  const role = "workload";
  const { leaseId } = z.looseObject({ leaseId: z.string() }).parse(await ask("POST /api/admissions", { body: ticket, role }));
  await ask("POST /api/admissions", { body: { ...ticket, budget: "nothing" }, role });
  await ask("POST /api/admissions", { body: { ...ticket, ticketId: "T-2", estimateMicroUsd: 1_000_000_000 }, role });
  await ask("POST /api/admissions/{leaseId}/extend", { at: [leaseId], body: { budget: "checkout" }, role });
  await ask("GET /api/budgets/{id}", { at: id });
  const usage = { input_tokens: 1000, cache_read_input_tokens: 0, cache_creation_input_tokens: 300, output_tokens: 10 };
  const report = {
    id: "r-1",
    provider: "anthropic",
    model: "claude-sonnet-4-5",
    operation: "plan",
    prompt: "implement",
    budget: "checkout",
  };
  const prefix = { blocks: [{ role: "system", kind: "text", hash: "0123456789abcdef", tokens: 1300, mark: "5m" }] };
  const event = { ...report, ticketId: "T-1", leaseId, team: "core", repo: "shop", latencyMs: 900, traceId: "t", usage, prefix };
  const diagnostics = { cache_miss_reason: { type: "system_changed", cache_missed_input_tokens: 900 } };
  const events = [
    event,
    event,
    { ...event, id: "r-2", turn: 1, diagnostics, prefix: { blocks: [] } },
    { ...event, id: "r-3", model: "nothing", requestModel: "claude-sonnet-4-5" },
    { ...event, id: "r-4", usage: { tokens: 1 } },
    { ...event, id: "r-5", outcome: "rate_limited", error: "429", usage: undefined, prompt: "triage", prefix: undefined },
    { ...event, id: "r-6", prompt: "triage", prefix: undefined },
    { ...event, id: "r-7", budget: "nothing" },
    { id: "r-8" },
    { ...event, id: "r-9", at: 1 },
    { ...event, ticketId: "T-9" },
    { ...event, usage: { ...usage, output_tokens: 11 } },
  ];
  await ask("POST /api/usage", { body: { events }, role });
  // The completed report takes the place of the one before it.
  expect(await items("GET /api/usage")).toHaveLength(6);
  const correction = { provider: "anthropic", usageId: "r-4", costMicroUsd: 700, reason: "as on the invoice" };
  await ask("POST /api/budgets/{id}/corrections", { at: id, body: correction });
  await ask("POST /api/admissions/release", { body: { ...ticket, estimateMicroUsd: undefined, outcome: "succeeded" }, role });
  expect((await items("GET /api/admissions")).length).toBeGreaterThan(3);
  expect(await items("GET /api/budgets")).toHaveLength(1);
  const now = Date.now();
  expect(
    (await items("GET /api/budgets/{id}/spend", { at: id, query: `?from=${now - 3_600_000}&to=${now + 60_000}` })).length,
  ).toBeGreaterThan(1);
  await ask("GET /api/costs/explanation", { query: `?from=${now - 60_000}&to=${now + 60_000}&budget=checkout` });
  await ask("GET /api/prompt-caches");
});

it("answers about sessions", async () => {
  expect(await ask("POST /api/session", { role: "viewer" })).toMatchObject({ role: "viewer" });
  expect(await ask("GET /api/session", { role: "viewer" })).toEqual({ name: "a-viewer", role: "viewer" });
  expect(await ask("POST /api/session/links", { role: "viewer" })).toMatchObject({ path: expect.stringMatching(/^\/#link_[\w-]{43}$/) });
  expect(await ask("DELETE /api/session", { role: "viewer" })).toEqual({ ended: false });
});

it("answers about batches and tickets", async () => {
  const at = ["nightly"];
  const ticket = { id: "n-1", externalRef: "GH-1", kind: "bug", payload: { title: "…" } };
  const role = "operator";
  await ask("POST /api/batches", { body: { id: "nightly", budget: "checkout", draft: true }, role });
  await ask("POST /api/batches/{id}/tickets", { at, body: { tickets: [ticket, { id: "n-2", payload: null }] }, role });
  await ask("GET /api/batches/{id}/estimate", { at });
  const batch = z.looseObject({ version: z.number(), limits: z.looseObject({}) }).parse(await ask("GET /api/batches/{id}", { at }));
  const { version, limits } = batch;
  await ask("PATCH /api/batches/{id}", { at, body: { version, limits: { ...limits, concurrency: 2 } }, role });
  await ask("POST /api/batches/{id}/submit", { at, role });
  expect(await items("POST /api/batches/references", { body: { references: ["GH-1", "GH-2"] }, role })).toHaveLength(1);
  await ask("POST /api/batches/{id}/pause", { at, body: { reason: "a test" }, role });
  await ask("POST /api/batches/{id}/resume", { at, body: { reason: "a test" }, role });
  await follow("GET /api/batches/{id}/events", "nightly", 1);
  await ask("POST /api/batches", { body: { id: "small", budget: "checkout", tickets: [{ id: "s-1" }] }, role });
  await ask("POST /api/batches/{id}/cancel", { at: ["small"], body: { reason: "a test" }, role });
  expect(await items("GET /api/batches")).toHaveLength(2);
  await ask("GET /api/batches", { query: "?limit=1" });
  expect(await items("GET /api/tickets")).toHaveLength(3);
  await ask("GET /api/tickets/{id}", { at: ["n-1"] });
});

it("answers about flags, features, outputs and evidence", async () => {
  const role = "workload";
  const at = ["export"];
  const flag = {
    type: "boolean",
    variants: { on: true, off: false },
    state: "on",
    offVariant: "off",
    defaultVariant: "on",
    feature: "export",
  };
  await ask("PUT /api/flags/{key}", { at, body: { ...flag, expected: 0, reason: "a test" }, role: "approver" });
  const share = { variant: "on", share: 0.5, salt: "s" };
  await ask("PUT /api/flags/{key}", {
    at: ["import"],
    body: { ...flag, defaultVariant: "off", rollout: share, expected: 0, reason: "a test" },
  });
  expect(await items("GET /api/flags")).toHaveLength(2);
  await ask("GET /api/flags/{key}", { at });
  await ask("GET /api/flags/served", { query: "?keys=export,import,nothing", role });
  const context = { context: { targetingKey: "T-1" } };
  for (const key of ["export", "import"]) await ask("POST /ofrep/v1/evaluate/flags/{key}", { at: [key], body: context, role });
  await ask("POST /ofrep/v1/evaluate/flags", { body: context, role });
  await ask("GET /ofrep/v1/configuration", { role });
  await ask("POST /api/flags/{key}/off", { at, body: { reason: "a test" }, role: "operator" });
  const report = { reporter: "a-process-1", sequence: 1, counts: [{ feature: "export", served: 3, refused: 1 }] };
  for (let times = 0; times < 2; times += 1) await ask("POST /api/features/requests", { body: report, role });
  const output = { feature: "export", text: `token ghp_${"a1B2".repeat(9)}` };
  await ask("POST /api/outputs", { body: { outputs: [output, { ...output, kind: "tool_call", text: "nothing" }] }, role });
  const connection = connectRedis(redis, "worker");
  await createEvidenceStore(connection).put(anEvidence("evidence-1"));
  connection.disconnect();
  await ask("GET /api/evidence");
  await ask("GET /api/evidence/{id}", { at: ["evidence-1"] });
});

it("answers about prompts, routes and changes", async () => {
  const at = ["implement"];
  const role = "operator";
  for (const text of ["one", "two"])
    await ask("POST /api/prompts/{name}/versions", { at, body: aNewVersion(text, { note: text, evidence: { hit: 0.5 } }), role });
  await ask("PUT /api/prompts/{name}/labels/{label}", {
    at: ["implement", "production"],
    body: { version: 1, expected: null, reason: "first" },
    role,
  });
  await ask("PUT /api/prompts/{name}/canary", {
    at,
    body: { canary: { version: 2, share: 0.1, salt: "s" }, expected: null, reason: "try" },
    role,
  });
  await ask("GET /api/prompts/{name}", { at });
  await ask("GET /api/prompts/{name}/versions/{version}", { at: ["implement", "1"] });
  await ask("POST /api/prompts/{name}/honeytoken", { at, role: "operator" });
  await ask("POST /api/prompts/{name}/honeytoken", { at, role: "operator" });
  await ask("POST /api/prompts/{name}/honeytoken/rotate", { at, role: "operator" });
  await ask("GET /api/prompts/{name}/served", { at });
  expect(await items("GET /api/prompts")).toHaveLength(1);
  const targets = {
    baseline: { provider: "anthropic", model: "a" },
    candidate: { provider: "anthropic", model: "b", share: 0.1, salt: "s" },
  };
  await ask("PUT /api/routes/{id}", {
    at,
    body: { ...targets, fallback: [{ provider: "openai", model: "c" }], expected: 0, reason: "try" },
    role,
  });
  await ask("GET /api/routes/{id}", { at });
  expect(await items("GET /api/routes")).toHaveLength(1);
  await ask("POST /api/changes", { body: { kind: "deploy", ref: "release 1.5.0", dims: { prompt: "implement" } }, role });
  expect((await items("GET /api/changes")).length).toBeGreaterThan(2);
  const finding = { source: "pentest", ref: "1", title: "Open redirect" };
  const { items: imported } = z
    .looseObject({ items: z.array(z.looseObject({ id: z.string() })) })
    .parse(await ask("POST /api/findings", { body: { findings: [finding] }, role }));
  expect(await items("GET /api/findings", { query: "?kind=security" })).toHaveLength(2);
  await ask("GET /api/findings/{id}", { at: [imported[0]?.id ?? ""] });
  await ask("GET /api/findings/export", { query: "?since=0" });
  const note = { status: "acted", reason: "a test" };
  await ask("PUT /api/findings/{id}/status", { at: [imported[0]?.id ?? ""], body: note, role });
});

it("answers about rollouts", async () => {
  const role = "approver";
  const subject = { kind: "model", route: "implement", to: { provider: "anthropic", model: "claude-opus-4-5" } };
  const plan = { intervalMs: 60_000, deadlineMs: 600_000, lagMs: 60_000 };
  await ask("PUT /api/routes/{id}", {
    at: ["rolled"],
    body: { baseline: { provider: "anthropic", model: "claude-sonnet-4-5" }, expected: 0, reason: "a test" },
    role: "operator",
  });
  await ask("POST /api/rollouts", { body: { id: "r-1", subject: { ...subject, route: "rolled" }, plan, reason: "a test" }, role });
  const at = ["r-1"];
  const body = { reason: "a test" };
  await ask("POST /api/rollouts/{id}/start", { at, body, role });
  const ticket = { ticketId: "T-rolled", budget: "checkout" };
  const assignments = [{ rollout: "r-1", arm: "baseline" }];
  await ask("POST /api/admissions", { body: { ...ticket, estimateMicroUsd: 1, assignments }, role: "workload" });
  await ask("POST /api/admissions/release", { body: { ...ticket, outcome: "succeeded" }, role: "workload" });
  await ask("PUT /api/tickets/{id}/quality", { at: ["T-rolled"], body: { quality: 0.5, reason: "a test" }, role: "workload" });
  await ask("POST /api/rollouts/{id}/hold", { at, body, role });
  await ask("GET /api/rollouts/{id}", { at });
  expect(await items("GET /api/rollouts")).toHaveLength(1);
  await ask("POST /api/rollouts/{id}/take-back", { at, body, role });
});

it("answers about alerts, runs, questions and what people do", async () => {
  const alerts = aWebhookBody([aFiringAlert("PauseAlert", "x"), aFiringAlert("WaitAlert", "y"), aFiringAlert("Unknown", "z")]);
  await ask("POST /webhooks/alertmanager", { body: alerts, token: webhookToken });
  expect((await items("GET /api/decisions", { query: "?fingerprint=fx" })).length).toBe(1);
  expect(await items("GET /api/decisions", { query: "?alert=Unknown&decision=unmatched&since=1" })).toMatchObject([
    { decision: "unmatched", alertName: "Unknown", why: expect.stringContaining("No runbook"), remedy: expect.stringContaining("Unknown") },
  ]);
  await fetch(`${product.url}/webhooks/alertmanager`, { method: "POST", headers: { authorization: `Bearer ${webhookToken}` }, body: "{}" });
  expect((await items("GET /api/rejected-notifications")).length).toBe(1);
  const runId = runOf(await ask("POST /api/runs", { body: { runbook: "start", params: {} } }));
  const asked = z.looseObject({
    items: z.array(z.looseObject({ question: z.looseObject({ id: z.string(), planSha: z.string().optional() }) })),
  });
  const nextQuestion = async () =>
    until("a question is open", async () => asked.parse(await ask("GET /api/approvals", { role: "approver" })).items[0]?.question);
  const approval = await nextQuestion();
  await ask("GET /api/approvals/{id}/question", { at: [approval.id] });
  await ask("POST /api/approvals/{id}", {
    at: [approval.id],
    body: { answer: "approve", reason: "agreed", planSha: approval.planSha },
    role: "approver",
  });
  const manual = await until("the next question is open", async () => {
    const question = await nextQuestion();
    return question.id !== approval.id && question;
  });
  await ask("GET /api/approvals/{id}/question", { at: [manual.id] });
  await ask("POST /api/approvals/{id}", { at: [manual.id], body: { answer: "done", reason: "looked" }, role: "operator" });
  await ask("GET /api/approvals/{id}/question", { at: [approval.id] });
  expect(await items("GET /api/approvals", { query: "?state=answered" })).toHaveLength(2);
  expect((await items("GET /api/health")).map((check) => z.looseObject({ name: z.string() }).parse(check).name)).toHaveLength(5);
  const runs = z.looseObject({ items: z.array(z.looseObject({ id: z.string(), state: z.string() })) });
  const ended = await until("all runs have ended", async () => {
    const { items: all } = runs.parse(await ask("GET /api/runs"));
    return all.length === 3 && all.every(({ state }) => state === "ended") && all;
  });
  for (const { id } of ended) await ask("GET /api/runs/{id}", { at: [id] });
  for (const { id } of ended) await ask("GET /api/runs/{id}/document", { at: [id] });
  await follow("GET /api/runs/{id}/events", runId, 3);
  await follow("GET /api/feed", "", 1);
  expect(runOf(await ask("POST /api/runs/{id}/rerun", { at: [runId] }))).not.toBe(runId);
  // A run that waits for a person can be woken and ended.
  const waiting = runOf(await ask("POST /api/runs", { body: { runbook: "pause" } }));
  await nextQuestion();
  await ask("POST /api/runs/{id}/resume", { at: [waiting] });
  await ask("POST /api/runs/{id}/abort", { at: [waiting], body: { reason: "a test" } });
  expect((await items("GET /api/runbooks")).length).toBeGreaterThan(2);
  for (const id of ["pause", "broken"]) await ask("GET /api/runbooks/{id}", { at: [id] });
  for (const id of ["pause", "broken"]) await ask("GET /api/runbooks/{id}/document", { at: [id] });
  await ask("PUT /api/freeze", { body: { scope: "runbook:wait", reason: "a test" } });
  expect(await items("GET /api/freeze")).toHaveLength(1);
  await ask("DELETE /api/freeze", { query: "?scope=runbook%3Await" });
  expect((await items("GET /api/audit", { query: "?limit=5" })).length).toBe(5);
  await ask("GET /api/audit/verify");
  for (const route of ["GET /healthz", "GET /readyz"]) await ask(route);
}, 60_000);

it("has answered by every route that has a schema, but for those that need a mail, a secret, an analysis or hundreds of tickets", () => {
  const elsewhere = ["POST /api/approvals/{id}/link", "POST /webhooks/langfuse", "POST /webhooks/github", "POST /api/rollouts/{id}/grow"];
  expect(described.routes.filter((route) => !described.seen.has(route)).toSorted()).toEqual(elsewhere.toSorted());
});
