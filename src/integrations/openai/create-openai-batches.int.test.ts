import { afterEach, describe, expect, it } from "@jest/globals";
import type { BatchServer } from "../../../demo/simulators/provider-batches/batch-server.ts";
import { startOpenAiBatchServer } from "../../../demo/simulators/provider-batches/openai-batch-server.ts";
import { serveLoopback } from "../../../demo/simulators/serve-loopback.ts";
import { describeProviderBatches } from "../../../test/contracts/describe-provider-batches.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { sha256 } from "../../core/json.ts";
import { createPriceTable } from "../../llm/usage/price-table.ts";
import { shippedPrices } from "../../llm/usage/prices.ts";
import { readResult } from "./batch-shapes.ts";
import { createOpenAiBatches } from "./create-openai-batches.ts";
import { createOpenAiCosts } from "./create-openai-costs.ts";

const prices = createPriceTable(shippedPrices);
const servers: BatchServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

async function start(clock = createFakeClock()): Promise<BatchServer> {
  const server = await startOpenAiBatchServer({ clock });
  servers.push(server);
  return server;
}

const bodyOf = (text: string) => ({ model: "gpt-4.1-mini", max_completion_tokens: 200, messages: [{ role: "user", content: text }] });

describeProviderBatches("OpenAI's adapter", async () => {
  const clock = createFakeClock();
  const server = await start(clock);
  return {
    port: createOpenAiBatches({ baseUrl: `${server.url}/v1`, apiKey: "sk-proj-test" }, clock),
    costs: createOpenAiCosts({ baseUrl: `${server.url}/v1`, apiKey: "sk-admin-test" }, { prices, clock }),
    clock,
    pass: async (ms) => clock.advance(ms),
    inject: (quirk) => server.inject(quirk),
    created: () => server.stats().created,
    billedMicroUsd: () => server.stats().billedMicroUsd,
    bodyOf,
    refuses: "batch",
    namesBatches: true,
  };
});

describe("OpenAI's adapter", () => {
  it("tells the faults of an input by line, after it was accepted", async () => {
    const server = await start();
    const port = createOpenAiBatches({ baseUrl: `${server.url}/v1`, apiKey: "sk-proj-test" }, createFakeClock());
    const id = await port.submit({ key: "k", items: ["a", "b", "a"].map((customId) => ({ customId, body: bodyOf("x") })) });
    expect(await port.read(id)).toMatchObject({ state: "failed", faults: [{ code: "duplicate_custom_id", line: 3 }] });
    await expect(port.results(id)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ trouble: "not_ready" });
  });

  it("names status and code of a refusal, and neither key nor body", async () => {
    const server = await start();
    const port = createOpenAiBatches({ baseUrl: `${server.url}/v1`, apiKey: "sk-proj-hidden" }, createFakeClock());
    using _ = server.inject({ kind: "spend_limited" });
    await expect(port.submit({ key: "k", items: [{ customId: "a", body: { note: "private" } }] })).rejects.toThrow(
      /^openai answered 429 \(insufficient_quota, insufficient_quota\)$/,
    );
  });

  const anyBatch = {
    id: "batch_1",
    endpoint: "/v1/chat/completions",
    status: "completed",
    input_file_id: "file-1",
    created_at: 1_795_970_000,
    request_counts: { total: 2, completed: 2, failed: 0 },
  };
  const oddFields = [
    ["an empty id of a file of errors", { output_file_id: "file-2", error_file_id: "" }],
    ["metadata that is no text", { metadata: { owner: 7 } }],
    ["errors that are a text", { errors: "none" }],
    ["counts that are none", { request_counts: "2" }],
    ["times that are none", { expires_at: "tomorrow", completed_at: "" }],
  ] as const;

  it.each(oddFields)("reads a batch with %s", async (_name, odd) => {
    await using server = await serveLoopback((_request, response) => {
      response.setHeader("content-type", "application/json").end(JSON.stringify({ ...anyBatch, ...odd }));
    });
    const port = createOpenAiBatches({ baseUrl: `${server.url}/v1`, apiKey: "sk-proj-test" }, createFakeClock());
    expect(await port.read("batch_1")).toMatchObject({ id: "batch_1", state: "ended" });
  });

  it("tells each error of a failed batch, also beside errors that are written in another way", async () => {
    const errors = {
      data: [null, { code: 7, message: "odd", line: "3" }, "text", { code: "duplicate_custom_id", message: "twice", line: 3 }],
    };
    await using server = await serveLoopback((_request, response) => {
      response.setHeader("content-type", "application/json").end(JSON.stringify({ ...anyBatch, status: "failed", errors }));
    });
    const port = createOpenAiBatches({ baseUrl: `${server.url}/v1`, apiKey: "sk-proj-test" }, createFakeClock());
    expect((await port.read("batch_1")).faults).toEqual([
      { code: "unknown", message: "null" },
      { code: "unknown", message: "odd" },
      { code: "unknown", message: '"text"' },
      { code: "duplicate_custom_id", message: "twice", line: 3 },
    ]);
  });

  it("keeps an answer whose choices it cannot read", () => {
    const body = {
      id: "c1",
      model: "gpt-5.6",
      choices: [null, { finish_reason: 7, message: "x" }],
      usage: { prompt_tokens: 1, completion_tokens: 1 },
    };
    const line = (choices: unknown) =>
      readResult(JSON.stringify({ custom_id: "a", response: { status_code: 200, body: { ...body, choices } } }), 1);
    expect(line(body.choices)).toMatchObject({ kind: "item", outcome: { kind: "succeeded", isRefusal: false } });
    expect(line([null, { finish_reason: "content_filter" }])).toMatchObject({ outcome: { isRefusal: true } });
    expect(line([])).toMatchObject({ kind: "unreadable" });
    const withoutUsage = { ...body, choices: [{}], usage: undefined };
    expect(readResult(JSON.stringify({ custom_id: "a", response: { status_code: 200, body: withoutUsage } }), 1)).toMatchObject({
      outcome: { kind: "succeeded", usage: { kind: "anomaly" } },
    });
  });

  it.each([...oddFields, ["a status of tomorrow", { status: "paused" }], ["no id", { id: "" }], ["nothing", undefined]])(
    "finds its batch behind one of another application with %s, on the next page too",
    async (_name, odd) => {
      const foreign = odd === undefined ? null : { ...anyBatch, id: "batch_foreign", ...odd };
      const ours = { ...anyBatch, id: "batch_ours", metadata: { runbookd_submission: sha256("k").slice(0, 40) } };
      await using server = await serveLoopback((request, response) => {
        const isFirst = !(request.url ?? "").includes("after=");
        const page = isFirst
          ? { data: [{ ...anyBatch, id: "batch_0" }, foreign, { ...anyBatch, id: "batch_9" }], has_more: true }
          : { data: [foreign, ours], has_more: false };
        response.setHeader("content-type", "application/json").end(JSON.stringify({ object: "list", ...page }));
      });
      const port = createOpenAiBatches({ baseUrl: `${server.url}/v1`, apiKey: "sk-proj-test" }, createFakeClock());
      expect(await port.find({ key: "k", since: 1_795_960_000_000, customIds: [], known: [] })).toEqual({
        kind: "found",
        id: "batch_ours",
      });
    },
  );

  it("refuses to report costs without an Admin key", async () => {
    const server = await start();
    const costs = createOpenAiCosts({ baseUrl: `${server.url}/v1`, apiKey: "sk-proj-test" }, { prices, clock: createFakeClock() });
    await expect(costs.batchCost(0, 1000)).rejects.toMatchObject({ trouble: "unauthorised" });
  });
});
