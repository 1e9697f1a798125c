import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import { createActionBench, outputOf } from "../../test/builders/action-bench.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import type { HttpAnswer } from "./http-port.ts";

const url = "https://allowed.example/key/block?token=s3cret";

function aBench(parameters: { readonly [key: string]: Json }, answer?: Partial<HttpAnswer & { kind: "answered" }>) {
  const bench = createActionBench();
  bench.world.answer = { kind: "answered", status: 200, headers: { "content-type": "application/json" }, body: '{"ok":true}', ...answer };
  return { ...bench, request: bench.bind("http-request", { url, ...parameters }) };
}

describe("class of the effect", () => {
  it.each<[{ readonly [key: string]: unknown }, string]>([
    [{}, "read"],
    [{ method: "GET" }, "read"],
    [{ method: "HEAD", idempotency_key: true }, "read"],
    [{ method: "POST" }, "once"],
    [{ method: "PUT" }, "once"],
    [{ method: "POST", idempotency_key: true }, "keyed"],
    [{ method: "${{ params.method }}" }, "once"],
    [{ method: "POST", idempotency_key: "${{ params.safe }}" }, "once"],
  ])("%j is %s", (parameters, effect) => {
    expect(actionCatalogue.find("http-request")?.effectOf(parameters)).toBe(effect);
  });
});

describe("plan", () => {
  it("names the target without its query and stores no header or body", async () => {
    const { request, context } = aBench({ method: "POST", headers: { authorization: "Bearer s3cret" }, json: { key: "s3cret" } });
    const plan = await request.plan(context());
    expect(plan).toMatchObject({
      summary: "POST https://allowed.example/key/block",
      targets: ["https://allowed.example/key/block"],
      reversible: false,
    });
    expect(JSON.stringify(plan)).not.toContain("s3cret");
  });

  it("differs when any part of what would be sent differs", async () => {
    const shas = await Promise.all(
      [{ json: 1 }, { json: 2 }, { body: "x" }, { headers: { a: "1" } }].map(async (parameters) => {
        const { request, context } = aBench({ method: "POST", ...parameters });
        return JSON.stringify((await request.plan(context())).data);
      }),
    );
    expect(new Set(shas).size).toBe(4);
  });

  it.each([
    "https://allowed.example/a/../b",
    "https://allowed.example/a/%2e%2E/b",
    "https://allowed.example/a//b",
    "https://allowed.example/%zz",
  ])("refuses %s, which a server may take for another path than a reader does", async (hostile) => {
    const { bind, context } = createActionBench();
    await expect(bind("http-request", { url: hostile, method: "POST" }).plan(context())).rejects.toMatchObject({
      failure: { reason: "invalid_parameters", applied: "no", message: expect.stringContaining("its path has") },
    });
  });

  it("names one target for every spelling of a path", async () => {
    const { bind, context } = createActionBench();
    const targets = [
      "https://allowed.example/pools/prod",
      "https://allowed.example/pools/pro%64/",
      "https://allowed.example/%70ools/prod?a=1",
    ].map(async (spelled) => (await bind("http-request", { url: spelled }).plan(context())).targets);
    expect(new Set((await Promise.all(targets)).flat())).toEqual(new Set(["https://allowed.example/pools/prod"]));
  });

  it("refuses an origin that is not listed", async () => {
    const { bind, context } = createActionBench();
    await expect(bind("http-request", { url: "http://169.254.169.254/" }).plan(context())).rejects.toMatchObject({
      failure: { reason: "invalid_parameters", applied: "no", message: expect.stringContaining("not listed") },
    });
  });
});

describe("run", () => {
  it("sends JSON with the idempotency key and keeps the JSON of the answer", async () => {
    const { request, context, requests } = aBench(
      { method: "POST", json: { a: 1 }, idempotency_key: true },
      { headers: { "Content-Type": "application/json; charset=utf-8", "set-cookie": "s" } },
    );
    expect(outputOf(await request.run(await request.plan(context()), context()))).toEqual({
      status: 200,
      headers: { "content-type": "application/json; charset=utf-8" },
      json: { ok: true },
      truncated: false,
    });
    expect(requests[0]).toMatchObject({
      method: "POST",
      body: '{"a":1}',
      headers: { "content-type": "application/json", "idempotency-key": "key-1" },
    });
  });

  it("says which run it is from, and a document cannot say otherwise", async () => {
    const { request, context, requests } = aBench({ headers: { "runbookd-run": "" } });
    await request.run(await request.plan(context()), context({ runId: "run_7" }));
    expect(requests[0]?.headers).toMatchObject({ "runbookd-run": "run_7" });
  });

  it("keeps at most 8,000 characters of a body, as text", async () => {
    const { request, context } = aBench({}, { body: "x".repeat(9000) });
    const output = outputOf(await request.run(await request.plan(context()), context()));
    expect(output).toMatchObject({ truncated: true });
    expect(output["body"]).toHaveLength(8000);
  });

  it("keeps what only says that it is JSON as text", async () => {
    const { request, context } = aBench({}, { body: "<html>log in" });
    expect(outputOf(await request.run(await request.plan(context()), context()))).toMatchObject({ body: "<html>log in" });
  });

  it.each<[string, number, string, string]>([
    ["POST", 400, "refused_by_target", "no"],
    ["POST", 404, "refused_by_target", "no"],
    ["POST", 408, "unknown_outcome", "unknown"],
    ["POST", 409, "unknown_outcome", "unknown"],
    ["POST", 425, "unknown_outcome", "unknown"],
    ["POST", 429, "overloaded", "no"],
    ["POST", 500, "unknown_outcome", "unknown"],
    ["POST", 502, "unknown_outcome", "unknown"],
    ["POST", 503, "overloaded", "no"],
    ["POST", 504, "unknown_outcome", "unknown"],
    ["POST", 302, "unknown_outcome", "unknown"],
    ["GET", 500, "not_reachable", "no"],
    ["GET", 404, "refused_by_target", "no"],
  ])("%s answered %i is %s, applied %s", async (method, status, reason, applied) => {
    const { request, context } = aBench({ method }, { status });
    await expect(request.run(await request.plan(context()), context())).rejects.toMatchObject({ failure: { reason, applied } });
  });

  it("takes exactly the statuses that it was told", async () => {
    const { request, context } = aBench({ method: "DELETE", expect_status: [204, 404] }, { status: 404 });
    expect(outputOf(await request.run(await request.plan(context()), context()))["status"]).toBe(404);
    const strict = aBench({ method: "DELETE", expect_status: 204 }, { status: 200 });
    await expect(strict.request.run(await strict.request.plan(context()), context())).rejects.toMatchObject({
      failure: { applied: "unknown" },
    });
  });

  it("hands on when to come back", async () => {
    const { request, context } = aBench({ method: "POST" }, { status: 429, retryAfterMs: 3000 });
    await expect(request.run(await request.plan(context()), context())).rejects.toMatchObject({ failure: { retryAfterMs: 3000 } });
  });
});
