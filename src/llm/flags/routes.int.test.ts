import { expect, it } from "@jest/globals";
import type { AuditEntry } from "../../../packages/sdk/src/wire/audit.ts";
import { maxFlagsPerRequest } from "../../../packages/sdk/src/wire/flags.ts";
import { aRollout } from "../../../test/builders/a-rollout.ts";
import { aDefinition, aTrial } from "../../../test/contracts/describe-flag-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { startHttp } from "../../../test/servers/http-harness.ts";
import { createMemoryFlags } from "../../rehearsal/memory-flags.ts";
import { createMemoryFollowers } from "../../rehearsal/memory-followers.ts";
import { createMemoryRollouts } from "../../rehearsal/memory-rollouts.ts";
import { createFlagRoutes } from "./routes.ts";

async function aServer() {
  const clock = createFakeClock();
  const audited: AuditEntry[] = [];
  const audit = { append: async (entry: AuditEntry) => void audited.push(entry) };
  const [flags, followers] = [createMemoryFlags(clock), createMemoryFollowers(clock)];
  const rollouts = createMemoryRollouts(clock);
  const http = await startHttp({
    routes: createFlagRoutes({ flags, followers, audit, clock, liveRollout: async (target) => rollouts.liveOf(target) }),
  });
  const send = async (
    method: string,
    path: string,
    role: string,
    more: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
  ) => {
    const response = await fetch(`${http.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${role}-token`, "content-type": "application/json", ...more.headers },
      ...(more.body !== undefined && { body: JSON.stringify(more.body) }),
    });
    const text = await response.text();
    return { status: response.status, body: Object(text === "" ? {} : JSON.parse(text)), etag: response.headers.get("etag") ?? "" };
  };
  const put = async (key: string, role: string, change: object) =>
    send("PUT", `/api/flags/${key}`, role, { body: { ...aDefinition(), expected: 0, reason: "why", ...change } });
  return { http, send, put, audited, flags, followers, rollouts };
}

it("sets a flag from the version that was read, shows it with its followers, and records who did it", async () => {
  const { http, send, put, audited } = await aServer();
  await using _ = http;
  expect((await send("GET", "/api/flags/export", "viewer")).status).toBe(404);
  expect(await put("export", "approver", { feature: "export" })).toMatchObject({ status: 200, body: { version: 1, by: "a approver" } });
  const refused = await put("export", "approver", aTrial());
  expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining("it has version 1, by a approver") } });
  await put("export", "approver", { ...aTrial({ feature: "export" }), expected: 1 });
  expect((await send("GET", "/api/flags/export", "viewer")).body).toMatchObject({
    key: "export",
    version: 2,
    feature: "export",
    followers: { followers: 0, current: 0 },
  });
  expect(audited.map(({ kind, by, subject, detail }) => [kind, by, subject, detail["changes"] ?? detail["why"]])).toEqual([
    ["flag_set", "a approver", "flag/export", ["new flag of type boolean, on"]],
    ["flag_refused", "a approver", "flag/export", "conflict"],
    ["flag_set", "a approver", "flag/export", ["default variant on -> off", "share none -> on 10 %"]],
  ]);
});

it("lets an operator lower and only an approver raise", async () => {
  const { http, put, audited, flags } = await aServer();
  await using _ = http;
  const half = aTrial({ rollout: { variant: "on", share: 0.5, salt: "s" } });
  expect(await put("export", "operator", half)).toMatchObject({
    status: 403,
    body: { detail: "Only an approver may do this: new flag of type boolean, on." },
  });
  await put("export", "approver", half);
  const share = (amount: number) => aTrial({ rollout: { variant: "on", share: amount, salt: "s" } });
  expect((await put("export", "operator", { ...share(0.1), expected: 1 })).status).toBe(200);
  const grown = await put("export", "operator", { ...share(0.2), expected: 2 });
  expect(grown).toMatchObject({ status: 403, body: { detail: expect.stringContaining("share on 10 % -> on 20 %") } });
  expect((await put("export", "operator", { ...share(0.1), state: "off", expected: 2 })).status).toBe(200);
  expect((await put("export", "operator", { ...share(0.1), expected: 3 })).status).toBe(403);
  expect((await put("export", "approver", { ...share(0.2), expected: 3 })).status).toBe(200);
  expect(await flags.read("export")).toMatchObject({ version: 4, state: "on", rollout: { share: 0.2 } });
  expect(audited.filter(({ kind }) => kind === "flag_refused")).toHaveLength(3);
});

it("only switches by hand what a live rollout controls, and names the rollout and the commands", async () => {
  const { http, send, put, audited, flags, rollouts } = await aServer();
  await using _ = http;
  const trial = (share: number) => aTrial({ rollout: { variant: "on", share, salt: "r1", rollout: "r1" } });
  await put("export", "approver", trial(0.5));
  await rollouts.create({ ...aRollout(), subject: { kind: "flag", flag: "export", from: "off", to: "on" } });
  await rollouts.change({ id: "r1", expected: 1, set: { state: "running", step: 0 } });
  for (const change of [trial(0.1), aTrial({ rollout: null }), aDefinition()]) {
    const refused = await put("export", "approver", { ...change, expected: 1 });
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining("Rollout r1 of flag/export is running") } });
  }
  expect(audited.at(-1)?.detail["why"]).toBe("live rollout");
  expect((await put("export", "operator", { ...trial(0.5), state: "off", expected: 1 })).status).toBe(200);
  expect((await put("export", "approver", { ...trial(0.5), expected: 2 })).status).toBe(200);
  expect((await send("POST", "/api/flags/export/off", "operator", { body: { reason: "it leaks" } })).status).toBe(200);
  expect(await flags.read("export")).toMatchObject({ version: 4, state: "off", rollout: { rollout: "r1" } });
  await rollouts.change({ id: "r1", expected: 2, set: { state: "rolled_back" } });
  expect((await put("export", "operator", { ...trial(0.1), state: "off", expected: 4 })).status).toBe(200);
});

it("answers that a flag is so already, whoever asks", async () => {
  const { http, put, audited } = await aServer();
  await using _ = http;
  await put("export", "approver", {});
  expect(await put("export", "operator", { expected: 7, reason: "again" })).toMatchObject({
    status: 200,
    body: { version: 1, reason: "why" },
  });
  expect(audited).toHaveLength(1);
});

it("switches a flag off whatever its version is, once", async () => {
  const { http, send, put, audited } = await aServer();
  await using _ = http;
  await put("export", "approver", {});
  const off = async () => send("POST", "/api/flags/export/off", "operator", { body: { reason: "it leaks" } });
  expect(await off()).toMatchObject({ status: 200, body: { state: "off", version: 2, by: "a operator", reason: "it leaks" } });
  expect(await off()).toMatchObject({ status: 200, body: { version: 2 } });
  expect((await send("POST", "/api/flags/nothing/off", "operator", { body: { reason: "x" } })).status).toBe(404);
  expect((await send("POST", "/api/flags/export/off", "operator", { body: { reason: " " } })).status).toBe(400);
  expect((await send("POST", "/api/flags/export/off", "workload", { body: { reason: "x" } })).status).toBe(403);
  expect(audited.map(({ kind }) => kind)).toEqual(["flag_set", "flag_set", "flag_set"]);
});

it("lists by page", async () => {
  const { http, send, put } = await aServer();
  await using _ = http;
  for (const key of ["c", "a", "b"]) await put(key, "approver", {});
  const first = (await send("GET", "/api/flags?limit=2", "viewer")).body;
  expect(first.items.map(({ key }: { key: string }) => key)).toEqual(["a", "b"]);
  const second = (await send("GET", `/api/flags?limit=2&cursor=${first.nextCursor}`, "viewer")).body;
  expect(second.items.map(({ key }: { key: string }) => key)).toEqual(["c"]);
  expect(second.nextCursor).toBeUndefined();
  expect((await send("GET", "/api/flags?cursor=!!", "viewer")).status).toBe(400);
});

it("gives a process the flags of its keys with a tag, and nothing when it has them already", async () => {
  const { http, send, put } = await aServer();
  await using _ = http;
  await put("export", "approver", {});
  await put("upload", "approver", {});
  await put("other", "approver", {});
  const path = "/api/flags/served?keys=upload,export,nothing";
  const { etag, body } = await send("GET", path, "workload");
  expect(body.flags.map(({ key }: { key: string }) => key)).toEqual(["export", "upload"]);
  const again = async () => send("GET", path, "workload", { headers: { "if-none-match": etag } });
  expect((await again()).status).toBe(304);
  await put("other", "approver", { state: "off", expected: 1 });
  expect((await again()).status).toBe(304);
  await put("export", "approver", { state: "off", expected: 1 });
  expect(await again()).toMatchObject({ status: 200, body: { flags: [{ key: "export", state: "off", version: 2 }, { key: "upload" }] } });
});

it("notes for each flag which process asks, and which version it holds", async () => {
  const { http, send, put } = await aServer();
  await using _ = http;
  await put("export", "approver", {});
  await put("upload", "approver", {});
  const ask = async (follower: string, held?: string) =>
    send("GET", "/api/flags/served?keys=export,upload,nothing", "workload", {
      headers: { "runbookd-follower": follower, ...(held !== undefined && { "runbookd-held": held }) },
    });
  const followers = async () => {
    const { items } = (await send("GET", "/api/flags", "viewer")).body;
    return Object.fromEntries(items.map((item: { key: string; followers: object }) => [item.key, item.followers]));
  };
  await ask("one");
  await ask("two", "export=1, upload=1, nothing=1");
  expect(await followers()).toEqual({ export: { followers: 2, current: 1 }, upload: { followers: 2, current: 1 } });
  await put("export", "approver", { state: "off", expected: 1 });
  expect(await followers()).toEqual({ export: { followers: 2, current: 0 }, upload: { followers: 2, current: 1 } });
  await ask("two", "export=2,upload=1");
  expect(await followers()).toEqual({ export: { followers: 2, current: 1 }, upload: { followers: 2, current: 1 } });
  // What cannot be read counts as not held, and asking as a person follows nothing.
  await ask("two", "export=x,=,upload=1,__proto__=2");
  await send("GET", "/api/flags/served?keys=export", "viewer");
  expect(await followers()).toEqual({ export: { followers: 2, current: 0 }, upload: { followers: 2, current: 1 } });
});

it.each([
  ["no variant", { variants: {} }, "a flag needs one variant at least"],
  [
    "a variant of another type",
    { variants: { on: "true", off: false } },
    "variants.on: its value is string, and the flag's type is boolean",
  ],
  ["a list in place of an object", { type: "object", variants: { on: [], off: {} } }, "variants.on: its value is array"],
  ["an off variant that is not there", { offVariant: "none" }, 'offVariant: there is no variant "none"; the flag has on, off'],
  ["a default variant that is not there", { defaultVariant: "constructor" }, 'defaultVariant: there is no variant "constructor"'],
  ["an off variant that is true", { offVariant: "on" }, "the off variant of a boolean flag must be false"],
  ["a share of a variant that is not there", { rollout: { variant: "x", share: 0.5, salt: "s" } }, "rollout.variant"],
  ["a share of the default variant", { rollout: { variant: "on", share: 0.5, salt: "s" } }, "on is the default variant"],
  ["a share above all", { rollout: { variant: "off", share: 2, salt: "s" } }, "rollout.share"],
  ["a share that is no number", { rollout: { variant: "off", share: "NaN", salt: "s" } }, "rollout.share"],
  [
    "more variants than accepted",
    { variants: Object.fromEntries(Array.from({ length: 21 }, (_, nth) => [`v${nth}`, false])) },
    "at most 20 variants",
  ],
  ["more bytes than accepted", { type: "string", variants: { on: "x".repeat(17_000), off: "" } }, "accepted: 16384 at most"],
  ["an expected version below 0", { expected: -1 }, "expected"],
  ["no expected version", { expected: undefined }, "expected"],
  ["no reason", { reason: " " }, "reason"],
  ["a field that is unknown", { weight: 3 }, "weight"],
  ["a state that is unknown", { state: "maybe" }, "state"],
])("refuses %s, and changes nothing", async (_name, change, named) => {
  const { http, put, flags, audited } = await aServer();
  await using _ = http;
  await put("export", "approver", {});
  const before = await flags.read("export");
  const answer = await put("export", "approver", { expected: 1, ...change });
  expect(answer.status).toBe(400);
  expect(JSON.stringify([answer.body.detail, answer.body.issues]).replaceAll("\\", "")).toContain(named);
  expect(await flags.read("export")).toEqual(before);
  expect(audited).toHaveLength(1);
});

it.each([
  ["/api/flags/%20", 400],
  ["/api/flags/-x", 400],
  [`/api/flags/${"x".repeat(81)}`, 400],
  ["/api/flags/served", 405],
  ["/api/flags/%3Cscript%3E", 400],
])("refuses the key of %s", async (path, status) => {
  const { http, send, flags } = await aServer();
  await using _ = http;
  const body = { ...aDefinition(), expected: 0, reason: "x" };
  expect((await send("PUT", path, "approver", { body })).status).toBe(status);
  expect(await flags.list()).toEqual([]);
});

it.each([
  ["no keys", ""],
  ["an empty key", "?keys=a,,b"],
  ["a key that is none", "?keys=a,b%20c"],
  ["more keys than accepted", `?keys=${Array.from({ length: maxFlagsPerRequest + 1 }, (_, nth) => `k${nth}`).join(",")}`],
])("never takes %s for all flags", async (_name, query) => {
  const { http, send, put } = await aServer();
  await using _ = http;
  await put("a", "approver", {});
  expect((await send("GET", `/api/flags/served${query}`, "workload")).status).toBe(400);
});
