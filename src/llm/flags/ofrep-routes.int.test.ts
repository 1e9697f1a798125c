import { expect, it } from "@jest/globals";
import { bucketOf } from "../../../packages/sdk/src/assignment.ts";
import type { FlagDefinition } from "../../../packages/sdk/src/wire/flags.ts";
import { aDefinition, aTrial } from "../../../test/contracts/describe-flag-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { startHttp } from "../../../test/servers/http-harness.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { createMemoryFlags } from "../../rehearsal/memory-flags.ts";
import { createMemoryFollowers } from "../../rehearsal/memory-followers.ts";
import type { FlagStore } from "./flag.ts";
import { createOfrepRoutes } from "./ofrep-routes.ts";

async function aServer(damage: (flags: FlagStore) => FlagStore = (flags) => flags) {
  const clock = createFakeClock();
  const [flags, followers] = [createMemoryFlags(clock), createMemoryFollowers(clock)];
  const counted: string[] = [];
  const http = await startHttp({
    routes: createOfrepRoutes({ flags: damage(flags), followers, evaluated: (key, variant) => counted.push(`${key} ${variant}`) }),
  });
  const post = async (path: string, body: string, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(`${http.url}/ofrep/v1/evaluate/flags${path}`, {
      method: "POST",
      headers: { authorization: "Bearer workload-token", "content-type": "application/json", ...headers },
      body,
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : Object(JSON.parse(text)), etag: response.headers.get("etag") ?? "" };
  };
  const evaluate = async (path: string, context?: object, headers?: Readonly<Record<string, string>>) =>
    post(path, JSON.stringify(context === undefined ? {} : { context }), headers);
  const set = async (key: string, definition: FlagDefinition, expected = 0) =>
    flags.set({ key, expected, definition, by: "anna", reason: "x" });
  return { http, post, evaluate, set, followers, counted };
}

it("answers the value of a flag, and an explicit one while it is off", async () => {
  const { http, evaluate, set, counted } = await aServer();
  await using _ = http;
  await set("export", aDefinition());
  const on = { key: "export", value: true, variant: "on", reason: "STATIC", metadata: { version: 1 } };
  expect(await evaluate("/export", { targetingKey: "T-1", plan: "free" })).toMatchObject({ status: 200, body: on });
  // A provider whose application set no context sends none.
  expect((await evaluate("/export")).body).toEqual(on);
  await set("export", aDefinition({ state: "off" }), 1);
  const off = { key: "export", value: false, variant: "off", reason: "DISABLED", metadata: { version: 2 } };
  expect((await evaluate("/export", { targetingKey: "T-1" })).body).toEqual(off);
  expect(counted).toEqual(["export on", "export on", "export off"]);
});

it("needs a targeting key only for a share, and says which rollout the key is in", async () => {
  const { http, evaluate, set } = await aServer();
  await using _ = http;
  const rollout = { variant: "on", share: 0.5, salt: "s", rollout: "r_1" };
  await set("export", aTrial({ rollout }));
  for (const context of [{}, { targetingKey: "" }])
    expect(await evaluate("/export", context)).toMatchObject({ status: 400, body: { key: "export", errorCode: "TARGETING_KEY_MISSING" } });
  for (const targetingKey of ["T-1", "T-2", "T-3", "T-4", "T-5"]) {
    const isCanary = bucketOf("s", targetingKey) < 0.5;
    expect((await evaluate("/export", { targetingKey })).body).toMatchObject({
      value: isCanary,
      reason: "SPLIT",
      metadata: { version: 1, rollout: "r_1", arm: isCanary ? "canary" : "baseline", share: 0.5 },
    });
  }
  await set("export", aTrial({ rollout, state: "off" }), 1);
  expect((await evaluate("/export", {})).body).toMatchObject({ value: false, reason: "DISABLED", metadata: { version: 2 } });
});

it.each([
  ["/nothing", "nothing"],
  ["/constructor", "constructor"],
  [`/${"x".repeat(500)}`, "x".repeat(80)],
  ["/%3Cscript%3E", "<script>"],
  ["/a%0Ab", "a\nb"],
])("does not find the flag of %s", async (path, key) => {
  const { http, evaluate } = await aServer();
  await using _ = http;
  expect(await evaluate(path, { targetingKey: "T-1" })).toMatchObject({ status: 404, body: { key, errorCode: "FLAG_NOT_FOUND" } });
});

it.each([
  ["no JSON", "{", "PARSE_ERROR"],
  ["nothing", "", "PARSE_ERROR"],
  ["a list", "[]", "INVALID_CONTEXT"],
  ["no context", '{"context":null}', "INVALID_CONTEXT"],
  ["a context that is text", '{"context":"T-1"}', "INVALID_CONTEXT"],
  ["a targeting key that is a number", '{"context":{"targetingKey":7}}', "INVALID_CONTEXT"],
  ["a long targeting key", JSON.stringify({ context: { targetingKey: "x".repeat(1001) } }), "INVALID_CONTEXT"],
  ["a megabyte of context", JSON.stringify({ context: { targetingKey: "T-1", text: "x".repeat(1_000_000) } }), "INVALID_CONTEXT"],
  ["a deep context", `{"context":{"a":${"[".repeat(40)}${"]".repeat(40)}}}`, "PARSE_ERROR"],
])("refuses %s as the protocol says", async (_name, body, errorCode) => {
  const { http, post, set, counted } = await aServer();
  await using _ = http;
  await set("export", aDefinition());
  expect(await post("/export", body)).toMatchObject({ status: 400, body: { key: "export", errorCode, errorDetails: expect.any(String) } });
  const bulk = await post("", body);
  expect(bulk).toMatchObject({ status: 400, body: { errorCode } });
  expect(bulk.body.key).toBeUndefined();
  expect(counted).toEqual([]);
});

it("refuses another content type as one that it cannot parse", async () => {
  const { http, post, set } = await aServer();
  await using _ = http;
  await set("export", aDefinition());
  expect(await post("/export", "{}", { "content-type": "text/plain" })).toMatchObject({ status: 400, body: { errorCode: "PARSE_ERROR" } });
});

it("answers every flag for one context, and nothing when the client has that already", async () => {
  const { http, evaluate, set, counted } = await aServer();
  await using _ = http;
  await set("export", aDefinition());
  await set("trial", aTrial());
  const { status, body, etag } = await evaluate("", {});
  expect({ status, body }).toMatchObject({
    status: 200,
    body: {
      flags: [
        { key: "export", value: true },
        { key: "trial", errorCode: "TARGETING_KEY_MISSING" },
      ],
    },
  });
  expect(counted).toEqual(["export on"]);
  expect((await evaluate("", {}, { "if-none-match": etag })).status).toBe(304);
  expect(counted).toHaveLength(1);
  expect((await evaluate("?flagConfigEtag=abc&flagConfigLastModified=1771622898", {}, { "if-none-match": etag })).status).toBe(304);
  const other = await evaluate("", { targetingKey: "T-1" }, { "if-none-match": etag });
  expect(other).toMatchObject({ status: 200, body: { flags: [{ key: "export" }, { key: "trial", variant: "off", reason: "SPLIT" }] } });
  await set("export", aDefinition({ state: "off" }), 1);
  expect((await evaluate("", {}, { "if-none-match": etag })).body.flags[0]).toMatchObject({ value: false, reason: "DISABLED" });
});

it("counts a process that names itself: one that asks for each evaluation is current, one that keeps them once it has the newest tag", async () => {
  const { http, evaluate, set, followers } = await aServer();
  await using _ = http;
  await set("export", aDefinition());
  const counts = async (version: number) => followers.count("flag/export", String(version));
  await evaluate("/export", {}, { "runbookd-follower": "one" });
  expect(await counts(1)).toEqual({ followers: 1, current: 1 });
  const { etag } = await evaluate("", {}, { "runbookd-follower": "two" });
  expect(await counts(1)).toEqual({ followers: 2, current: 1 });
  await evaluate("", {}, { "runbookd-follower": "two", "if-none-match": etag });
  expect(await counts(1)).toEqual({ followers: 2, current: 2 });
  await set("export", aDefinition({ state: "off" }), 1);
  await evaluate("", {}, { "runbookd-follower": "two", "if-none-match": etag });
  expect(await counts(2)).toEqual({ followers: 2, current: 0 });
  await evaluate("/export", {}, { "runbookd-follower": "one" });
  expect(await counts(2)).toEqual({ followers: 2, current: 1 });
});

it("answers 503 while the store is away, never 429, so that a provider goes on asking", async () => {
  const away = async () => Promise.reject(new StoreUnavailable("gone"));
  const { http, evaluate } = await aServer((flags) => ({ ...flags, read: away, list: away }));
  await using _ = http;
  expect((await evaluate("/export", {})).status).toBe(503);
  expect((await evaluate("", {})).status).toBe(503);
});

it("needs a token, and tells old providers not to keep values", async () => {
  const { http } = await aServer();
  await using _ = http;
  const get = async (headers: Readonly<Record<string, string>>) => fetch(`${http.url}/ofrep/v1/configuration`, { headers });
  expect((await get({})).status).toBe(401);
  const answer = await get({ authorization: "Bearer workload-token" });
  expect(await answer.json()).toMatchObject({ name: "runbookd", capabilities: { caching: { enabled: false } } });
});
