import { expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import type { HttpAnswer } from "../../actions/http-port.ts";
import { createVersionReader } from "./create-version-reader.ts";

const sha = "b".repeat(40);
const url = "https://desk.example/version";

async function read(body: string, status = 200) {
  const answer: HttpAnswer = { kind: "answered", status, headers: {}, body };
  const reader = createVersionReader({ request: async () => answer }, createFakeClock());
  return (await reader([url], new AbortController().signal))[0];
}

it.each([
  [`{"sha":"${sha}","instance":"p1"}`, { url, sha, instance: "p1" }],
  [`{"commit":"${sha.toUpperCase()}","instance":42}`, { url, sha, instance: "42" }],
  [`{"sha":"${sha}"}`, { url, sha }],
  [`{"sha":"${sha}","instance":"p\\u001b1\\n"}`, { url, sha, instance: "p 1" }],
])("reads %s", async (body, version) => {
  expect(await read(body)).toEqual(version);
});

it.each([
  ["a short commit", '{"sha":"bbbbbbb","instance":"p1"}', { url, instance: "p1" }],
  ["no JSON", "ok", { url }],
  ["a page", `<!doctype html><title>Sign in</title><script>{"sha":"${sha}","instance":"p1"}</script>`, { url }],
  ["an answer that was cut short", `{"sha":"${sha}","instance":"p`, { url }],
  ["a list", `[{"sha":"${sha}"}]`, { url }],
  ["another shape", '{"sha":7}', { url }],
  ["a name that is too long", JSON.stringify({ sha, instance: "p".repeat(201) }), { url }],
])("takes %s for no version", async (_what, body, version) => {
  expect(await read(body)).toEqual(version);
});

it("takes another status, and no answer, for no version", async () => {
  for (const status of [201, 204, 301, 302, 307, 404, 503]) expect(await read(`{"sha":"${sha}"}`, status)).toEqual({ url });
  const failure = { reason: "not_reachable", message: "refused", applied: "no" } as const;
  const reader = createVersionReader({ request: async () => ({ kind: "failed", failure }) }, createFakeClock());
  expect(await reader([url], new AbortController().signal)).toEqual([{ url }]);
});

it("rejects when it is cut off", async () => {
  const cut = new AbortController();
  const failure = { reason: "timeout", message: "cut", applied: "unknown" } as const;
  const reader = createVersionReader(
    {
      request: async () => {
        cut.abort(new Error("stopped"));
        return { kind: "failed", failure };
      },
    },
    createFakeClock(),
  );
  await expect(reader([url], cut.signal)).rejects.toThrow("stopped");
});
