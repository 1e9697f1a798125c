import { setImmediate } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import { createRunbookdClient } from "../packages/sdk/src/client.ts";
import { createMetrics } from "../src/app/metrics.ts";
import { createWorkloadSink } from "../src/app/product-event.ts";
import { createWorkloadRoutes } from "../src/llm/budgets/admission-routes.ts";
import { createBudgetLedger } from "../src/llm/budgets/redis-store.ts";
import { analyzePrompts } from "../src/llm/caching/analyze-prompts.ts";
import { createCacheFindings } from "../src/llm/caching/cache-analysis-store.ts";
import { observeCaches } from "../src/llm/caching/metrics.ts";
import { createCacheAnalysisStore } from "../src/llm/caching/redis-store.ts";
import { createCacheRoutes } from "../src/llm/caching/routes.ts";
import { decideSeverity } from "../src/llm/findings/decide-severity.ts";
import { createFindingIntake } from "../src/llm/findings/finding-intake.ts";
import { createSecurityFindingStore } from "../src/llm/findings/redis-security-findings.ts";
import { createFindingCommentStore } from "../src/llm/findings/redis-store.ts";
import { createFindingRoutes } from "../src/llm/findings/routes.ts";
import { createTicketStore } from "../src/llm/tickets/redis-store.ts";
import { createPriceTable } from "../src/llm/usage/price-table.ts";
import { shippedPrices } from "../src/llm/usage/prices.ts";
import { createPrefixSampleStore } from "../src/llm/usage/redis-prefix-samples.ts";
import { describeApi } from "../src/platform/http/openapi.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { createWorkload, quietWorkload, sampleWorkload } from "./builders/cache-workload.ts";
import { contractTimes } from "./contracts/describe-budget-ledger.ts";
import { createFakeClock } from "./fakes/fake-clock.ts";
import { createRecordedLog } from "./fakes/recorded-log.ts";
import { startHttp } from "./servers/http-harness.ts";
import { startRedisServer } from "./servers/redis-server.ts";

it("an application's reports become findings, gauges and counters, without a text of its prompts", async () => {
  await using server = await startRedisServer(["--appendfsync", "no"]);
  const redis = connectRedis({ socketPath: server.socketPath }, "worker");
  // The workload's first day has just gone by.
  const clock = createFakeClock(Date.UTC(2026, 10, 23));
  const begin = clock.now() - 86_400_000;
  const ledger = createBudgetLedger({ redis, clock, times: contractTimes, counts: createTicketStore({ redis, clock }) });
  const metrics = createMetrics();
  const samples = createPrefixSampleStore(redis);
  const board = createCacheAnalysisStore(redis);
  const prices = createPriceTable(shippedPrices);
  const notes = createFindingCommentStore(redis);
  const store = createSecurityFindingStore({ redis, clock, retentionMs: 1 });
  const intake = createFindingIntake({ store, features: [], assess: decideSeverity, clock });
  const audited: unknown[] = [];
  const audit = { append: async (entry: unknown) => void audited.push(entry) };
  observeCaches(metrics, board, notes);
  const failures: unknown[] = [];
  const prefixes = { samples, redact: (text: string) => text, lost: (error: unknown) => failures.push(error) };
  const routes = [
    ...createWorkloadRoutes({ ledger, prices, publish: createWorkloadSink({ metrics, log: createRecordedLog() }), prefixes, clock }),
    ...createCacheRoutes({ cacheAnalysisStore: board, samples, ledger }),
    ...createFindingRoutes({ otherSources: [createCacheFindings(board)], store, intake, comments: notes, audit, clock }),
  ];
  await using http = await startHttp({ routes });
  expect(Object.keys(describeApi(routes, []).paths)).toEqual(expect.arrayContaining(["/api/prompt-caches", "/api/findings"]));
  await ledger.define({
    id: "checkout",
    limitMicroUsd: 1e9,
    periodMs: 3_600_000,
    periodStartsAt: begin,
    profile: [],
    profileHourMs: 3_600_000,
  });

  const client = createRunbookdClient({ url: http.url, token: "workload-token", onUsageLost: ({ why }) => expect(why).toBe("") });
  for (const { id, at, ticketId, blocks, measured } of sampleWorkload(
    createWorkload(quietWorkload).slice(0, 300),
    "shipped",
    "last block",
  )) {
    if (measured === undefined) continue;
    const { uncached, write5m, read } = measured;
    client.reportUsage({
      id,
      at: begin + Math.round(at) + 9000,
      latencyMs: 9000,
      ttftMs: 4000,
      provider: "anthropic",
      model: "claude-sonnet-4-5",
      operation: "implement",
      prompt: "implement",
      budget: "checkout",
      ticketId,
      turn: 1,
      usage: { input_tokens: uncached, cache_read_input_tokens: read, cache_creation_input_tokens: write5m, output_tokens: 100 },
      prefix: { blocks: [...blocks] },
      diagnostics: { cache_miss_reason: { type: "system_changed", cache_missed_input_tokens: 20_000 } },
    });
  }
  const bare = {
    provider: "anthropic",
    model: "claude-haiku-4-5",
    operation: "triage",
    prompt: "triage",
    budget: "checkout",
    ticketId: "T-1",
  };
  client.reportUsage({ ...bare, id: "bare", usage: { input_tokens: 900, cache_read_input_tokens: 100, output_tokens: 1 } });
  await client.close();

  const drain = new AbortController();
  const pause = async () => setImmediate();
  await analyzePrompts({ samples, cacheAnalysisStore: board, prices, clock, timeFactor: 1, pause, intervalMs: 1000 }, drain.signal);

  const call = async (path: string) =>
    Object(await (await fetch(`${http.url}${path}`, { headers: { authorization: "Bearer viewer-token" } })).json());
  const { items: caches, unsampled } = await call("/api/prompt-caches");
  expect(unsampled).toEqual([{ prompt: "triage", provider: "anthropic", model: "claude-haiku-4-5", requests: 1, hit: 0.1 }]);
  expect(caches).toMatchObject([{ prompt: "implement", reply: { kind: "analysed", analysis: { requests: 300, measuredHit: 0 } } }]);
  const { items: findings } = await call("/api/findings?kind=cache");
  expect(findings).toMatchObject([
    { kind: "cache", evidence: { causes: [{ transform: "T1" }, { unit: "clock", transform: "T2" }, { transform: "T3" }, {}] } },
  ]);
  expect((await call("/api/findings?kind=security")).items).toEqual([]);

  const { id } = Object(findings[0]);
  const say = async (finding: string, body: object, role = "operator") =>
    fetch(`${http.url}/api/findings/${finding}/status`, {
      method: "PUT",
      headers: { authorization: `Bearer ${role}-token`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  expect(findings).toMatchObject([{ status: "open", note: null }]);
  expect(await metrics.metrics()).not.toContain("llm_cache_finding_settled{");
  const accept = { status: "accepted", reason: "a nightly job" };
  expect((await say(id, accept, "viewer")).status).toBe(403);
  expect((await say("cache-none", accept)).status).toBe(404);
  expect((await say(id, { ...accept, status: "done" })).status).toBe(400);
  expect(audited).toEqual([]);
  expect((await say(id, accept)).status).toBe(200);
  expect((await call("/api/findings?status=open")).items).toEqual([]);
  expect((await call("/api/findings?status=accepted")).items).toMatchObject([
    { id, status: "accepted", note: { reason: "a nightly job" } },
  ]);
  expect(audited).toMatchObject([{ kind: "finding_noted", subject: id, detail: { status: "accepted", before: "open" } }]);
  expect(await metrics.metrics()).toMatch(
    /llm_cache_finding_settled\{provider="anthropic",model="claude-sonnet-4-5",prompt="implement"\} 1/,
  );
  await say(id, { status: "open", reason: "it grew" });
  expect(await metrics.metrics()).not.toContain("llm_cache_finding_settled{");
  const text = await metrics.metrics();
  expect(text).toMatch(/llm_cache_achievable_ratio\{provider="anthropic",model="claude-sonnet-4-5",prompt="implement"\} 0\.9\d/);
  expect(text).toMatch(/llm_cache_lost_usd_per_day\{.*\} \d/);
  expect(text).toContain('llm_cache_miss_total{provider="anthropic",prompt="implement",reason="system_changed"} 300');
  expect(text).toContain('llm_cache_missed_tokens_total{provider="anthropic",prompt="implement",reason="system_changed"} 6000000');
  expect(failures).toEqual([]);
  redis.disconnect();
});
