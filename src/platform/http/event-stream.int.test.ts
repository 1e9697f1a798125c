import { setImmediate } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import { z } from "zod";
import { startHttp } from "../../../test/servers/http-harness.ts";
import type { Caller } from "../../core/role.ts";
import { defineEventRoute, noBody, noQuery, type ServerSentEvent } from "./route.ts";
import type { TokenVerifier } from "./token-verifier.ts";

/** A server with one stream, whose events and permissions the test decides. */
async function aStream() {
  const events: ServerSentEvent[] = [];
  const listeners = new Set<() => void>();
  const wake = new Set<() => void>();
  let state: Caller | "unreadable" | undefined = { name: "ann", role: "viewer" };
  const tokens: TokenVerifier = {
    async verify(token) {
      if (state === "unreadable") throw new Error("no token file");
      return token === "ann-token" ? state : { name: "bob", role: "viewer" };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const route = defineEventRoute({
    method: "get",
    path: "/api/things/events",
    summary: "Things",
    allow: ["viewer"],
    query: noQuery,
    body: noBody,
    success: { status: 200, description: "Things", events: z.object({ event: z.string(), data: z.unknown() }) },
    async handle({ signal }) {
      async function* follow() {
        for (let next = 0; !signal.aborted; ) {
          const event = events[next];
          if (event !== undefined) {
            next += 1;
            yield event;
            continue;
          }
          await new Promise<void>((resolve) => {
            wake.add(resolve);
            signal.addEventListener("abort", () => resolve(), { once: true });
          });
        }
      }
      return { kind: "events", events: follow() };
    },
  });
  const http = await startHttp({ routes: [route], tokens });
  const read = (token: string) => fetch(`${http.url}/api/things/events`, { headers: { authorization: `Bearer ${token}` } });
  return {
    http,
    read,
    listening: () => listeners.size,
    permit(now: Caller | "unreadable" | undefined) {
      state = now;
    },
    send(data: string) {
      events.push({ id: String(events.length), event: "thing", data });
      for (const resume of wake) resume();
    },
    announce() {
      for (const listener of listeners) listener();
    },
    [Symbol.asyncDispose]: async () => http[Symbol.asyncDispose](),
  };
}

/** Lets sockets and promises do what they can at once. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await setImmediate();
}

const ends: readonly [string, Caller | "unreadable" | undefined][] = [
  ["a token that was revoked", undefined],
  ["a token that has lost its role", { name: "ann", role: "workload" }],
  ["a token that can no longer be verified", "unreadable"],
];

it.each(ends)("sends no event more to %s", async (_what, state) => {
  await using stream = await aStream();
  stream.send("before");
  const open = await stream.read("ann-token");
  await settle();
  stream.permit(state);
  stream.send("a secret");
  const text = await open.text();
  expect(text).toContain("before");
  expect(text).not.toContain("a secret");
});

it.each(ends)("ends a quiet stream with the next heartbeat for %s", async (_what, state) => {
  await using stream = await aStream();
  const open = await stream.read("ann-token");
  await settle();
  await stream.http.clock.advance(15_000);
  await settle();
  stream.permit(state);
  await stream.http.clock.advance(15_000);
  expect(await open.text()).toBe(": keep-alive\n\n");
  expect(stream.listening()).toBe(0);
});

it("ends a quiet stream at once when the tokens have changed, and only that of the revoked one", async () => {
  await using stream = await aStream();
  const [revoked, other] = await Promise.all([stream.read("ann-token"), stream.read("bob-token")]);
  await settle();
  expect(stream.listening()).toBe(2);
  stream.permit(undefined);
  stream.announce();
  expect(await revoked.text()).toBe("");
  expect(stream.listening()).toBe(1);
  stream.send("for bob");
  await settle();
  stream.http.closing.abort();
  expect(await other.text()).toContain("for bob");
});
