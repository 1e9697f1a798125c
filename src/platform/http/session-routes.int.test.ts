import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { type HttpHarness, startHttp, testTokens } from "../../../test/servers/http-harness.ts";
import { dayMs, hourMs } from "../../core/duration.ts";
import { sha256 } from "../../core/json.ts";
import { createSystemRandom } from "../../core/random.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { runKeys } from "../redis/run-keys.ts";
import { createSessions } from "./redis-sessions.ts";
import { viewers } from "./roles.ts";
import { defineRoute, json, noBody, noQuery } from "./route.ts";
import { createSessionRoutes, type SessionAct } from "./session-routes.ts";

/** Sessions over a real Redis, asked as a browser asks. */
const held = holdRedis();
const clock = createFakeClock(Date.UTC(2026, 10, 23, 6));
const random = createSystemRandom();
const ended = new Set<string>();
const tokens = {
  verify: async (token: string) => tokens.verifyHash(sha256(token)),
  verifyHash: async (hash: string) => (ended.has(hash) ? undefined : testTokens.verifyHash(hash)),
};
const changes: string[] = [];
const acts: SessionAct[] = [];
let isAway = false;
let http: HttpHarness;
let secure: HttpHarness;

/** Redis as the sessions see it. While it is away every command fails, as with a connection that is cut. */
function sessionsOf() {
  const redis = new Proxy(held.redis, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => (isAway ? Promise.reject(new Error("Connection is closed.")) : Reflect.apply(member, target, args));
    },
  });
  return createSessions({ redis, clock, random });
}

beforeAll(async () => {
  const sessions = sessionsOf();
  const aThing = (method: "get" | "post", allow = viewers) =>
    defineRoute({
      method,
      path: "/api/things",
      summary: "Things",
      allow,
      query: noQuery,
      body: method === "get" ? noBody : z.unknown(),
      success: { status: 200, description: "Things", schema: z.object({ by: z.string() }) },
      async handle({ caller }) {
        if (method === "post") changes.push(caller.name);
        return json({ by: caller.name });
      },
    });
  const routes = [
    ...createSessionRoutes(sessions, async (act) => void acts.push(act)),
    aThing("get"),
    aThing("post", ["operator", "admin"]),
  ];
  http = await startHttp({ routes, tokens, sessions });
  secure = await startHttp({ routes, tokens, sessions, publicUrl: "https://runbookd.example" });
});
afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await secure[Symbol.asyncDispose]();
});

async function signIn(role = "operator", headers: Record<string, string> = {}) {
  const response = await fetch(`${http.url}/api/session`, {
    method: "POST",
    headers: { authorization: `Bearer ${role}-token`, ...headers },
  });
  const setCookie = response.headers.get("set-cookie") ?? "";
  return { status: response.status, setCookie, cookie: setCookie.split(";")[0] ?? "", body: await response.json() };
}

/** What the console sends. */
const fromConsole = (): Record<string, string> => ({ origin: http.url, "sec-fetch-site": "same-origin", "runbookd-console": "1" });

async function call(method: string, path: string, headers: Record<string, string>) {
  const response = await fetch(`${http.url}${path}`, {
    method,
    headers: { ...(method === "POST" && { "content-type": "application/json" }), ...headers },
    ...(method === "POST" && { body: "{}" }),
  });
  return { status: response.status, body: await response.json(), setCookie: response.headers.get("set-cookie") };
}

const statusOf = async (method: string, path: string, headers: Record<string, string>) => (await call(method, path, headers)).status;

describe("a session", () => {
  it("begins with a token, says who is signed in, and reads and changes as its role may", async () => {
    const { status, cookie, setCookie, body } = await signIn("operator");
    const who = { name: "a operator", role: "operator", expiresAt: clock.now() + 12 * hourMs };
    expect([status, body]).toEqual([201, who]);
    expect(setCookie).toMatch(/^rb-\d+=[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/);
    expect((await call("GET", "/api/session", { cookie })).body).toEqual(who);
    expect((await call("GET", "/api/things", { cookie })).body).toEqual({ by: "a operator" });
    changes.length = 0;
    expect(await statusOf("POST", "/api/things", { cookie, ...fromConsole() })).toBe(200);
    const viewer = await signIn("viewer");
    expect(await statusOf("POST", "/api/things", { cookie: viewer.cookie, ...fromConsole() })).toBe(403);
    expect(changes).toEqual(["a operator"]);
  });

  it("is bound to the host by its name over https", async () => {
    const response = await fetch(`${secure.url}/api/session`, { method: "POST", headers: { authorization: "Bearer viewer-token" } });
    expect(response.headers.get("set-cookie")).toMatch(/^__Host-rb=[\w-]{43}; Path=\/; .*; Secure$/);
  });

  it("does not begin over plain http on a network", async () => {
    await using open = await startHttp({
      routes: createSessionRoutes(sessionsOf(), async () => {}),
      publicUrl: "http://runbookd.internal:9097",
    });
    const response = await fetch(`${open.url}/api/session`, { method: "POST", headers: { authorization: "Bearer viewer-token" } });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([409, null]);
    expect(await response.text()).toContain("RUNBOOKD_PUBLIC_URL");
  });

  it.each(["workload", "scanner", "wrong"])("does not begin with the token of a %s", async (role) => {
    const { status, setCookie } = await signIn(role);
    expect([status, setCookie]).toEqual([role === "wrong" ? 401 : 403, ""]);
  });

  it("is kept as a hash of its secret", async () => {
    const { cookie } = await signIn();
    const secret = cookie.split("=")[1] ?? "";
    const keys = await held.redis.keys("*");
    const texts = await Promise.all(keys.filter((key) => key.includes(":session:")).map((key) => held.redis.hgetall(key)));
    expect(keys).toContain(runKeys.session(sha256(secret)));
    expect(JSON.stringify([keys, texts])).not.toContain(secret);
  });

  it("ends after twelve hours without a request, and after seven days in any case", async () => {
    const { cookie } = await signIn();
    const key = runKeys.session(sha256(cookie.split("=")[1] ?? ""));
    await clock.advance(hourMs);
    await held.redis.pexpire(key, 11 * hourMs);
    expect((await call("GET", "/api/session", { cookie })).body).toMatchObject({ expiresAt: clock.now() + 12 * hourMs });
    expect(await held.redis.pttl(key)).toBeGreaterThan(11 * hourMs);
    await clock.advance(7 * dayMs - 2 * hourMs);
    expect((await call("GET", "/api/session", { cookie })).body).toMatchObject({ expiresAt: expect.any(Number) });
    await held.redis.pexpire(key, 10);
    await call("GET", "/api/session", { cookie });
    expect(await held.redis.pttl(key)).toBeLessThanOrEqual(hourMs);
    await clock.advance(hourMs);
    expect(await statusOf("GET", "/api/session", { cookie })).toBe(401);
  });

  it("ends with its token", async () => {
    const { cookie } = await signIn("approver");
    expect(await statusOf("GET", "/api/things", { cookie })).toBe(200);
    ended.add(sha256("approver-token"));
    expect(await statusOf("GET", "/api/things", { cookie })).toBe(401);
    ended.clear();
  });

  it("is one of twenty of its token: one more ends the oldest", async () => {
    const first = await signIn("admin");
    await clock.advance(1);
    for (let count = 0; count < 20; count += 1) await signIn("admin");
    expect(await statusOf("GET", "/api/session", { cookie: first.cookie })).toBe(401);
    expect(await held.redis.zcard(runKeys.sessionsOfToken(sha256("admin-token")))).toBe(20);
  });
});

describe("what another site can send", () => {
  it.each<[string, Record<string, string>]>([
    ["without the console's header", { origin: "here", "sec-fetch-site": "same-origin" }],
    ["with another value of the header", { origin: "here", "sec-fetch-site": "same-origin", "runbookd-console": "true" }],
    ["from another origin", { origin: "https://evil.example", "runbookd-console": "1" }],
    ["from another port", { origin: "http://127.0.0.1:1", "runbookd-console": "1" }],
    ["from a sandboxed frame", { origin: "null", "sec-fetch-site": "same-origin", "runbookd-console": "1" }],
    ["without an origin", { "sec-fetch-site": "same-origin", "runbookd-console": "1" }],
    ["for another site", { origin: "here", "sec-fetch-site": "cross-site", "runbookd-console": "1" }],
    ["for a sibling site", { origin: "here", "sec-fetch-site": "same-site", "runbookd-console": "1" }],
    ["from the address bar", { origin: "here", "sec-fetch-site": "none", "runbookd-console": "1" }],
    ["as a form", { origin: "here", "content-type": "application/x-www-form-urlencoded" }],
  ])("changes nothing %s", async (_how, { origin, ...headers }) => {
    const { cookie } = await signIn();
    changes.length = 0;
    const sent = { cookie, ...headers, ...(origin !== undefined && { origin: origin === "here" ? http.url : origin }) };
    expect(await statusOf("POST", "/api/things", sent)).toBe(403);
    expect(await statusOf("DELETE", "/api/session", sent)).toBe(403);
    expect(changes).toEqual([]);
    expect(await statusOf("GET", "/api/session", { cookie })).toBe(200);
  });

  it("reads nothing that a browser sends for it", async () => {
    const { cookie } = await signIn();
    for (const site of ["cross-site", "same-site"])
      expect(await statusOf("GET", "/api/things", { cookie, "sec-fetch-site": site })).toBe(403);
  });

  it("begins no session", async () => {
    for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "none" }])
      expect(await signIn("operator", headers)).toMatchObject({ status: 403, setCookie: "" });
  });

  it("fixes no session: a secret that a caller brings is never taken over", async () => {
    const name = (await signIn()).cookie.split("=")[0] ?? "";
    const planted = `${name}=${"A".repeat(43)}`;
    expect(await statusOf("GET", "/api/session", { cookie: planted })).toBe(401);
    const { cookie } = await signIn("operator", { cookie: planted });
    expect(cookie).not.toBe(planted);
    expect(await statusOf("GET", "/api/session", { cookie: planted })).toBe(401);
  });

  it("prolongs no session: a session begins with a token alone", async () => {
    const { cookie } = await signIn();
    expect(await statusOf("POST", "/api/session", { cookie, ...fromConsole() })).toBe(401);
  });

  it("does not hide a cookie behind a wrong token", async () => {
    const { cookie } = await signIn();
    for (const authorization of ["Bearer wrong", "Basic eDp5"])
      expect(await statusOf("GET", "/api/things", { cookie, authorization })).toBe(401);
  });
});

describe("a sign-in link", () => {
  const linkOf = (body: unknown) => z.object({ path: z.string(), expiresAt: z.number() }).parse(body);

  it("signs in once, as the one who made it, and is no token for anything else", async () => {
    const made = await call("POST", "/api/session/links", { authorization: "Bearer operator-token" });
    const secret = linkOf(made.body).path.slice(2);
    expect(await statusOf("GET", "/api/things", { authorization: `Bearer ${secret}` })).toBe(401);
    const use = async () => call("POST", "/api/session", { authorization: `Bearer ${secret}` });
    const first = await use();
    expect(first).toMatchObject({ status: 201, body: { role: "operator" } });
    expect((await use()).status).toBe(401);
    expect((await held.redis.keys("*")).some((key) => key.includes(secret))).toBe(false);
  });

  it("ends with its token and after ten minutes, and is not made by a session", async () => {
    const made = linkOf((await call("POST", "/api/session/links", { authorization: "Bearer operator-token" })).body);
    expect(made.expiresAt).toBe(clock.now() + 600_000);
    const key = runKeys.signInLink(sha256(made.path.slice(2)));
    expect(await held.redis.pttl(key)).toBeGreaterThan(590_000);
    expect(await held.redis.pttl(key)).toBeLessThanOrEqual(600_000);
    ended.add(sha256("operator-token"));
    expect(await statusOf("POST", "/api/session", { authorization: `Bearer ${made.path.slice(2)}` })).toBe(401);
    ended.clear();
    const { cookie } = await signIn();
    expect(await statusOf("POST", "/api/session/links", { cookie, ...fromConsole() })).toBe(401);
  });
});

describe("signing out", () => {
  it("ends a stolen cookie too, on every server", async () => {
    const { cookie } = await signIn();
    const other = sessionsOf();
    const secret = cookie.split("=")[1] ?? "";
    expect(await other.find(secret, "read")).toBeDefined();
    const out = await call("DELETE", "/api/session", { cookie, ...fromConsole() });
    expect(out).toMatchObject({ status: 200, body: { ended: true } });
    expect(out.setCookie).toMatch(/^rb-\d+=; Path=\/; Max-Age=0;/);
    expect(await statusOf("GET", "/api/things", { cookie })).toBe(401);
    expect(await statusOf("POST", "/api/things", { cookie, ...fromConsole() })).toBe(401);
    expect(await other.find(secret, "read")).toBeUndefined();
  });

  it("ends the session before when the same browser signs in again", async () => {
    const first = await signIn();
    await signIn("viewer", { cookie: first.cookie });
    expect(await statusOf("GET", "/api/session", { cookie: first.cookie })).toBe(401);
  });

  it("is recorded, and so is signing in", async () => {
    acts.length = 0;
    const { cookie } = await signIn();
    await call("DELETE", "/api/session", { cookie, ...fromConsole() });
    expect(acts).toEqual([
      { kind: "signed_in", by: "a operator", role: "operator" },
      { kind: "signed_out", by: "a operator", role: "operator" },
    ]);
  });

  it("clears the cookie of a session that has ended", async () => {
    const { cookie } = await signIn();
    await held.redis.del(runKeys.session(sha256(cookie.split("=")[1] ?? "")));
    const out = await call("DELETE", "/api/session", { cookie, ...fromConsole() });
    expect(out.status).toBe(401);
    expect(out.setCookie).toMatch(/^rb-\d+=; Path=\/; Max-Age=0;/);
  });

  it("has nothing to end for a caller with a token", async () => {
    expect((await call("DELETE", "/api/session", { authorization: "Bearer viewer-token" })).body).toEqual({ ended: false });
  });
});

describe("while Redis is away", () => {
  afterAll(() => {
    isAway = false;
  });

  it("a session that was read within a minute may read, and none may change, begin or end", async () => {
    const { cookie } = await signIn();
    const late = await signIn();
    const leaving = await signIn();
    for (const one of [cookie, leaving.cookie]) await call("GET", "/api/session", { cookie: one });
    changes.length = 0;
    isAway = true;
    expect(await statusOf("GET", "/api/things", { cookie })).toBe(200);
    expect(await statusOf("GET", "/api/things", { cookie: late.cookie })).toBe(503);
    expect(await statusOf("POST", "/api/things", { cookie, ...fromConsole() })).toBe(503);
    const out = await call("DELETE", "/api/session", { cookie: leaving.cookie, ...fromConsole() });
    expect(out).toMatchObject({ status: 503, body: { detail: expect.stringContaining("This browser is signed out.") } });
    expect(out.setCookie).toMatch(/^rb-\d+=; Path=\/; Max-Age=0;/);
    expect((await signIn()).status).toBe(503);
    expect(changes).toEqual([]);
    await clock.advance(60_001);
    expect(await statusOf("GET", "/api/things", { cookie })).toBe(503);
    isAway = false;
    expect(await statusOf("GET", "/api/things", { cookie })).toBe(200);
    // The one that was left while Redis was away has ended for every server.
    expect(await held.redis.exists(runKeys.session(sha256(leaving.cookie.split("=")[1] ?? "")))).toBe(0);
  });

  it("a stream is rechecked without Redis for five seconds", async () => {
    const sessions = sessionsOf();
    const { secret } = await sessions.start(sha256("viewer-token"));
    const session = await sessions.find(secret, "read");
    await held.redis.del(runKeys.session(sha256(secret)));
    expect(await sessions.find(secret, "recheck")).toEqual(session);
    await clock.advance(5001);
    expect(await sessions.find(secret, "recheck")).toBeUndefined();
  });

  it("a session that ended here stays ended", async () => {
    const sessions = sessionsOf();
    const { secret } = await sessions.start(sha256("viewer-token"));
    await sessions.find(secret, "read");
    expect(await sessions.end(secret)).toBe(true);
    isAway = true;
    expect(await sessions.find(secret, "read")).toBeUndefined();
    await expect(sessions.start(sha256("viewer-token"))).rejects.toThrow(StoreUnavailable);
    isAway = false;
  });
});
