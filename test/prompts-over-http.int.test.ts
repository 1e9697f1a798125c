import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createRunbookdClient, type RunbookdClient } from "../packages/sdk/src/client.ts";
import type { PromptChange } from "../packages/sdk/src/prompt-source.ts";
import type { AuditEntry } from "../packages/sdk/src/wire/audit.ts";
import { prefixSchema } from "../packages/sdk/src/wire/prefix.ts";
import { createPromptRoutes } from "../src/llm/prompts/routes.ts";
import type { FollowerBook } from "../src/llm/rollouts/followers.ts";
import { describeApi } from "../src/platform/http/openapi.ts";
import { createMemoryFollowers } from "../src/rehearsal/memory-followers.ts";
import { createMemoryPromptRollouts, createMemoryPrompts } from "../src/rehearsal/memory-prompts.ts";
import { aCacheState } from "./contracts/describe-cache-analysis-store.ts";
import { aNewVersion } from "./contracts/describe-prompt-store.ts";
import { createFakeClock, type FakeClock } from "./fakes/fake-clock.ts";
import { type HttpHarness, startHttp } from "./servers/http-harness.ts";

let http: HttpHarness;
let client: RunbookdClient;
let clock: FakeClock;
let followers: FollowerBook;
let audited: AuditEntry[];
let changes: PromptChange[];
let statuses: number[];
let isDown = false;
let live: { readonly id: string; readonly state: "running" } | undefined;

beforeEach(async () => {
  clock = createFakeClock();
  audited = [];
  changes = [];
  statuses = [];
  isDown = false;
  live = undefined;
  followers = createMemoryFollowers(clock);
  const routes = createPromptRoutes({
    prompts: createMemoryPrompts(clock),
    rollouts: createMemoryPromptRollouts(),
    audit: { append: async (entry) => void audited.push(entry) },
    clock,
    followers,
    liveRollout: async () => live,
    caches: { list: async () => [aCacheState(), aCacheState({ prompt: "review" })] },
  });
  http = await startHttp({ routes });
  client = createRunbookdClient({
    url: http.url,
    token: "workload-token",
    clock,
    refreshEveryMs: 1000,
    onPromptChanged: (change) => changes.push(change),
    fetch: async (url, init) => {
      if (isDown) throw new TypeError("fetch failed");
      const response = await fetch(url, init);
      statuses.push(response.status);
      return response;
    },
  });
});
afterEach(async () => {
  await client.close();
  await http[Symbol.asyncDispose]();
});

async function call(method: string, path: string, role: string, body?: unknown) {
  const response = await fetch(`${http.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${role}-token`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : Object(JSON.parse(text)) };
}

const versions = "/api/prompts/implement/versions";
const label = "/api/prompts/implement/labels/production";

async function served(): Promise<void> {
  for (const text of ["one", "two"]) await call("POST", versions, "operator", aNewVersion(text));
  await call("PUT", label, "operator", { version: 1, expected: null, reason: "first" });
}

/** Turns of the event loop until the poll that the clock released has been answered. */
async function polled(before: number): Promise<void> {
  for (let turn = 0; turn < 200 && statuses.length <= before; turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("prompts over HTTP", () => {
  it("are made, labelled and read, and every act of a person is recorded", async () => {
    await served();
    expect(await call("GET", "/api/prompts/implement", "viewer")).toMatchObject({
      status: 200,
      body: {
        name: "implement",
        latest: 2,
        labels: { production: 1 },
        canary: null,
        versions: [
          { version: 2, status: "draft", labels: [] },
          { version: 1, status: "production", labels: ["production"] },
        ],
      },
    });
    expect(await call("GET", `${versions}/2`, "workload")).toMatchObject({ status: 200, body: { layout: aNewVersion("two").layout } });
    expect(await call("GET", "/api/prompts?limit=1", "viewer")).toMatchObject({ body: { items: [{ name: "implement" }] } });
    expect(audited.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
      "prompt_version_created prompt/implement",
      "prompt_version_created prompt/implement",
      "prompt_label_moved prompt/implement",
    ]);
  });

  it("refuse a label that moved meanwhile, what does not exist, and a layout with faults", async () => {
    await served();
    const move = { version: 2, expected: null, reason: "go" };
    expect(await call("PUT", label, "operator", move)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("points at 1") },
    });
    expect(audited.at(-1)?.kind).toBe("prompt_label_refused");
    expect(await call("PUT", label, "operator", { ...move, expected: 1, version: 7 })).toMatchObject({ status: 404 });
    expect(await call("PUT", "/api/prompts/implement/labels/latest", "operator", move)).toMatchObject({ status: 400 });
    const broken = { layout: { layers: [], breakpoints: [{ afterLayer: "x", ttl: "1h" }] } };
    expect(await call("POST", versions, "operator", broken)).toMatchObject({ status: 400 });
    expect(await call("GET", "/api/prompts/nothing/served", "workload")).toMatchObject({ status: 404 });
  });

  it.each([
    ["GET", "/api/prompts", ["workload"]],
    ["POST", versions, ["viewer", "approver", "workload"]],
    ["PUT", label, ["viewer", "approver", "workload"]],
    ["PUT", "/api/prompts/implement/canary", ["viewer", "approver", "workload"]],
  ])("%s %s is refused to %j", async (method, path, refused) => {
    for (const role of refused) expect((await call(method, path, role, method === "GET" ? undefined : {})).status).toBe(403);
  });

  it("leave what a live rollout controls to it, and name the rollout and the commands", async () => {
    await call("POST", versions, "operator", aNewVersion("Rules."));
    live = { id: "r7", state: "running" };
    const canary = { version: 1, share: 0.5, salt: "x" };
    for (const [path, body] of [
      [label, { version: 1, expected: null, reason: "by hand" }],
      ["/api/prompts/implement/labels/canary", { version: 1, expected: null, reason: "by hand" }],
      ["/api/prompts/implement/canary", { canary, expected: null, reason: "by hand" }],
    ] as const) {
      const refused = await call("PUT", path, "operator", body);
      expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining("rollouts take-back r7") } });
    }
    expect(
      (await call("PUT", "/api/prompts/implement/labels/staging", "operator", { version: 1, expected: null, reason: "mine" })).status,
    ).toBe(200);
  });

  it("are described", () => {
    const routes = createPromptRoutes({
      prompts: createMemoryPrompts(clock),
      rollouts: createMemoryPromptRollouts(),
      audit: { append: async () => undefined },
      clock,
      followers,
      liveRollout: async () => undefined,
    });
    expect(Object.keys(describeApi(routes, []).paths)).toEqual(
      expect.arrayContaining(["/api/prompts", label.replace(/implement.*/, "{name}/labels/{label}")]),
    );
  });
});

describe("an application that takes its prompts from runbookd", () => {
  it("renders the labelled version and reports the prefix that it sent, without its text", async () => {
    await served();
    const prompt = await client.prompts.forTicket("implement", "T-1");
    const { body, report } = prompt.render({ variables: { ticket: "secret words" } });
    expect(body).toEqual({
      system: [{ type: "text", text: "one", cache_control: { type: "ephemeral", ttl: "1h" } }],
      messages: [{ role: "user", content: [{ type: "text", text: "Ticket: secret words" }] }],
    });
    expect(report).toMatchObject({ prompt: "implement", promptVersion: "1", variant: "baseline" });
    expect(prefixSchema.safeParse(report.prefix).success).toBe(true);
    expect(JSON.stringify(report)).not.toContain("secret");
    expect(() => prompt.render({ variables: {} })).toThrow("layer ticket: the variable ticket is missing");
  });

  it("asks with its entity tag, and hears of a canary without taking a ticket's version away", async () => {
    await served();
    const tickets = Array.from({ length: 20 }, (_, index) => `T-${index}`);
    const assigned = async (names: readonly string[]) =>
      Promise.all(names.map(async (ticket) => client.prompts.forTicket("implement", ticket)));
    expect((await assigned(tickets)).every(({ version }) => version === 1)).toBe(true);
    await clock.advance(1000);
    await polled(1);
    expect(statuses).toEqual([200, 304]);
    const canary = { version: 2, share: 0.5, salt: "s" };
    expect(await call("PUT", "/api/prompts/implement/canary", "operator", { canary, expected: null, reason: "try" })).toMatchObject({
      status: 200,
    });
    await clock.advance(1000);
    await polled(2);
    expect(changes).toMatchObject([{ prompt: "implement", after: { canary: { version: 2, share: 0.5 } } }]);
    expect((await assigned(tickets)).every(({ version }) => version === 1)).toBe(true);
    const later = await assigned(tickets.map((ticket) => `new-${ticket}`));
    expect(new Set(later.map(({ version, variant }) => `${version} ${variant}`))).toEqual(new Set(["1 baseline", "2 canary"]));
    expect(await client.prompts.forTicket("implement", "T-1", 2)).toMatchObject({ version: 2, variant: "canary" });
  });

  it("goes on with what it knows while runbookd is away, and says so when it knows nothing", async () => {
    await served();
    isDown = true;
    await expect(client.prompts.forTicket("implement", "T-1")).rejects.toThrow("fetch failed");
    isDown = false;
    await client.prompts.forTicket("implement", "T-1");
    isDown = true;
    await clock.advance(5000);
    expect(await client.prompts.forTicket("implement", "T-2")).toMatchObject({ version: 1 });
    isDown = false;
    await expect(client.prompts.forTicket("nothing", "T-1")).rejects.toThrow("no prompt nothing");
  });

  it("lists prompts with how they are cached", async () => {
    await call("POST", "/api/prompts/implement/versions", "operator", aNewVersion("guide"));
    const { body } = await call("GET", "/api/prompts", "viewer");
    expect(body.items).toMatchObject([{ name: "implement", caches: [{ prompt: "implement", reply: { reason: "too_few_samples" } }] }]);
  });
});
