import { afterEach, describe, expect, it } from "@jest/globals";
import { startAnthropicBatchServer } from "../../../demo/simulators/provider-batches/anthropic-batch-server.ts";
import type { BatchServer } from "../../../demo/simulators/provider-batches/batch-server.ts";
import { serveLoopback } from "../../../demo/simulators/serve-loopback.ts";
import { describeProviderBatches } from "../../../test/contracts/describe-provider-batches.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createAnthropicBatches } from "./create-anthropic-batches.ts";
import { createAnthropicCosts } from "./create-anthropic-costs.ts";

const servers: BatchServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

async function start(clock = createFakeClock()): Promise<BatchServer> {
  const server = await startAnthropicBatchServer({ clock });
  servers.push(server);
  return server;
}

describeProviderBatches("Anthropic's adapter", async () => {
  const clock = createFakeClock();
  const server = await start(clock);
  return {
    port: createAnthropicBatches({ baseUrl: server.url, apiKey: "sk-ant-api03-test" }, clock),
    costs: createAnthropicCosts({ baseUrl: server.url, apiKey: "sk-ant-admin01-test" }, clock),
    clock,
    pass: async (ms) => clock.advance(ms),
    inject: (quirk) => server.inject(quirk),
    created: () => server.stats().created,
    billedMicroUsd: () => server.stats().billedMicroUsd,
    bodyOf: (text) => ({ model: "claude-sonnet-4-5", max_tokens: 200, messages: [{ role: "user", content: text }] }),
    refuses: "items",
    namesBatches: false,
  };
});

describe("Anthropic's adapter", () => {
  it("names status and code of a refusal, and neither key nor body", async () => {
    const server = await start();
    const port = createAnthropicBatches({ baseUrl: server.url, apiKey: "sk-ant-api03-hidden" }, createFakeClock());
    using _ = server.inject({ kind: "spend_limited" });
    await expect(port.submit({ key: "k", items: [{ customId: "a", body: { note: "private" } }] })).rejects.toThrow(
      /^anthropic answered 429 \(rate_limit_error, enforced_spend_limit_reached\)$/,
    );
  });

  it("is not sure that its batch does not exist while one that cannot be read could be it", async () => {
    const began = "2026-11-29T18:00:00Z";
    const odd = { id: "msgbatch_odd", processing_status: "paused", created_at: began };
    const pages: unknown[][] = [[null, odd], [null, { ...odd, created_at: "2026-11-28T18:00:00Z" }], [{ id: "?" }]];
    await using server = await serveLoopback((_request, response) => {
      const page = { data: pages.shift(), has_more: false, last_id: null };
      response.setHeader("content-type", "application/json").end(JSON.stringify(page));
    });
    const port = createAnthropicBatches({ baseUrl: server.url, apiKey: "sk-ant-api03-test" }, createFakeClock());
    const trace = { key: "k", customIds: ["a"], since: Date.parse(began), known: [] };
    expect(await port.find(trace)).toEqual({ kind: "unclear", candidates: ["msgbatch_odd"] });
    expect(await port.find(trace)).toEqual({ kind: "none" });
    expect(await port.find(trace)).toEqual({ kind: "none" });
  });

  it("refuses to report costs without an Admin key", async () => {
    const server = await start();
    const costs = createAnthropicCosts({ baseUrl: server.url, apiKey: "sk-ant-api03-test" }, createFakeClock());
    await expect(costs.batchCost(0, 1)).rejects.toMatchObject({ trouble: "unauthorised" });
  });

  it("knows that a provider that refuses the connection did nothing", async () => {
    const server = await start();
    await server[Symbol.asyncDispose]();
    const port = createAnthropicBatches({ baseUrl: server.url, apiKey: "sk-ant-api03-test" }, createFakeClock());
    await expect(port.submit({ key: "k", items: [] })).rejects.toMatchObject({ trouble: "unavailable" });
  });
});
