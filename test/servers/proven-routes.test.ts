import { expect, it } from "@jest/globals";
import { z } from "zod";
import { defineEventRoute, defineRoute, json, noBody, noQuery, type Route, type ServerSentEvent } from "../../src/platform/http/route.ts";
import { provenRoutes } from "./proven-routes.ts";

const thing = z.object({ name: z.string(), inner: z.object({ count: z.number() }), kind: z.enum(["a", "b"]).optional() });
const head = { method: "get", path: "/api/thing", summary: "", allow: [], query: noQuery, body: noBody } as const;
const request = { params: {}, query: {}, body: undefined, caller: { name: "ada", role: "viewer" }, lastEventId: undefined } as const;
const good = { name: "one", inner: { count: 1 } };

async function faultsOf(route: Route): Promise<readonly string[]> {
  const { routes, faults } = provenRoutes([route]);
  const reply = await routes[0]?.handle({ ...request, signal: new AbortController().signal });
  if (reply?.kind === "events") for await (const { id } of reply.events) if (id !== "1") throw new Error(`An event has the id ${id}.`);
  return faults;
}

it.each([
  ["a body that fits", good, []],
  ["a field that is undefined", { ...good, kind: undefined }, []],
  ["a field that is missing", { name: "one" }, [expect.stringContaining("GET /api/thing: inner")]],
  ["a word that is not in the set", { ...good, kind: "c" }, [expect.stringContaining("kind")]],
  ["a field that the schema does not name", { ...good, more: 1 }, [expect.stringContaining("does not name all of")]],
  ["such a field inside", { ...good, inner: { count: 1, more: 1 } }, [expect.stringContaining("does not name all of")]],
])("finds faults in %s", async (_, body: object, faults) => {
  const route = defineRoute({
    ...head,
    success: { status: 200, description: "", schema: z.custom<object>() },
    handle: async () => json(body),
  });
  expect(await faultsOf({ ...route, success: { status: 200, description: "", schema: thing } })).toEqual(faults);
});

it("finds faults in the events of a stream", async () => {
  const route = defineEventRoute({
    ...head,
    success: { status: 200, description: "", events: z.custom<ServerSentEvent>() },
    handle: async () => ({
      kind: "events",
      events: (async function* () {
        yield { id: "1", event: "progress", data: { ...good, more: 1 } };
      })(),
    }),
  });
  const events = z.object({ event: z.literal("progress"), data: thing });
  expect(await faultsOf({ ...route, success: { status: 200, description: "", events } })).toHaveLength(1);
});
