import { describe, expect, it } from "@jest/globals";
import { createWorkload, quietWorkload, sampleWorkload } from "../../../test/builders/cache-workload.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryCacheAnalysisStore } from "../../../test/fakes/memory-cache-analysis-store.ts";
import { createMemoryPrefixSamples } from "../../../test/fakes/memory-prefix-samples.ts";
import { createRecordedLog } from "../../../test/fakes/recorded-log.ts";
import type { PrefixSample } from "../../core/prefix-sample.ts";
import { runPeriodically } from "../../core/run-periodically.ts";
import { createPriceTable } from "../usage/price-table.ts";
import { shippedPrices } from "../usage/prices.ts";
import { analyzePrompts } from "./analyze-prompts.ts";
import { createCacheFindings, rankCaches } from "./cache-analysis-store.ts";

const calls = createWorkload(quietWorkload).slice(0, 400);
const shipped = sampleWorkload(calls, "shipped", "last block");

async function aWorker(samples: readonly PrefixSample[]) {
  const clock = createFakeClock(Date.UTC(2026, 10, 23));
  const store = createMemoryPrefixSamples();
  const board = createMemoryCacheAnalysisStore();
  const drain = new AbortController();
  const log = createRecordedLog();
  let pauses = 0;
  await store.add(samples);
  const deps = {
    samples: store,
    cacheAnalysisStore: board,
    prices: createPriceTable(shippedPrices),
    // Every look at the time takes a while, so that each slice is over at once.
    clock: { ...clock, monotonic: () => (pauses += 1) * 9 },
    timeFactor: 1,
    pause: async () => undefined,
    intervalMs: 1000,
  };
  const worker = runPeriodically({ name: "prompts", intervalMs: 1000, clock, log, signal: drain.signal }, async ({ signal }) =>
    analyzePrompts(deps, signal),
  );
  const until = async (done: () => Promise<boolean>) => {
    for (let round = 0; round < 200 && !(await done()); round += 1) await clock.advance(100);
  };
  return { board, store, log, clock, until, pauses: () => pauses, [Symbol.asyncDispose]: async () => (drain.abort(), worker.close()) };
}

describe("the analysis in the background", () => {
  it("puts what each prompt loses and why where everybody can read it, and lets others work meanwhile", async () => {
    await using worker = await aWorker(shipped);
    await worker.until(async () => (await worker.board.list()).length > 0);
    const [state] = await worker.board.list();
    expect(state).toMatchObject({ prompt: "implement", versions: [{ version: null, requests: 400 }], reply: { kind: "analysed" } });
    expect(worker.pauses()).toBeGreaterThan(100);
    expect(worker.log.lines).toEqual([]);
    const [finding] = await createCacheFindings(worker.board).findings();
    expect(finding).toMatchObject({ kind: "cache", severity: "high" });
    expect(finding?.title).toMatch(
      /^implement on anthropic\/claude-sonnet-4-5 reads 0 % of its input from the cache and could read 9\d %: A time in clock changes/,
    );
    expect(rankCaches(await worker.board.list())).toHaveLength(1);
    expect(rankCaches(await worker.board.list(), 1e12)).toEqual([]);
  });

  it("tells why the provider says that the cache was missed, the costliest reason first", async () => {
    const reasons = ["tools_changed", "system_changed", "system_changed"] as const;
    const samples = shipped.slice(0, 9).map((sample, index): PrefixSample => {
      const reason = reasons[index % 3];
      return index > 5 || reason === undefined ? sample : { ...sample, miss: { reason, ...(index > 2 && { missedTokens: 1000 }) } };
    });
    await using worker = await aWorker(samples);
    await worker.until(async () => (await worker.board.list()).length > 0);
    expect((await worker.board.list())[0]?.misses).toEqual([
      { reason: "system_changed", requests: 4, missedTokens: 2000 },
      { reason: "tools_changed", requests: 2, missedTokens: 1000 },
    ]);
  });

  it("says what is missing, finds nothing, and analyses again when there are new samples", async () => {
    await using worker = await aWorker(shipped.slice(0, 50).map((sample) => ({ ...sample, promptVersion: "3" })));
    await worker.until(async () => (await worker.board.list()).length > 0);
    const [first] = await worker.board.list();
    expect(first).toMatchObject({ version: "3", reply: { kind: "missing", reason: "too_few_samples" } });
    expect(await createCacheFindings(worker.board).findings()).toEqual([]);
    expect(rankCaches(await worker.board.list(), 0)).toEqual([]);
    for (let round = 0; round < 30; round += 1) await worker.clock.advance(100);
    expect((await worker.board.list())[0]?.at).toBe(first?.at);
    await worker.store.add(shipped.slice(50));
    await worker.until(async () => (await worker.board.list())[0]?.reply.kind === "analysed");
    // Of two versions the one with more samples is analysed, and both are measured.
    const [second] = await worker.board.list();
    expect(second).not.toHaveProperty("version");
    expect(second?.versions.map(({ version }) => version)).toEqual(["3", null]);
  });

  it("looks at fewer samples of a prompt whose conversations are long", async () => {
    const long = shipped.map((sample) => ({
      ...sample,
      blocks: sample.blocks.flatMap((block) => [block, ...Array.from({ length: 20 }, () => ({ ...block, tokens: 0 }))]),
    }));
    await using worker = await aWorker(long);
    await worker.until(async () => (await worker.board.list()).length > 0);
    const [state] = await worker.board.list();
    expect(state?.versions[0]?.requests).toBe(400);
    expect(state?.reply.kind === "analysed" ? state.reply.analysis.requests : 0).toBeLessThan(400);
    expect(state?.reply.kind === "analysed" ? state.reply.analysis.requests : 0).toBeGreaterThanOrEqual(250);
  });

  it("goes on after a failure", async () => {
    await using worker = await aWorker(shipped.slice(0, 10));
    const groups = await worker.store.groups();
    let fails = true;
    Object.assign(worker.store, { groups: async () => (fails ? Promise.reject(new Error("Redis is away")) : groups) });
    await worker.until(async () => worker.log.lines.length > 0);
    fails = false;
    await worker.until(async () => (await worker.board.list()).length > 0);
    expect(await worker.board.list()).toHaveLength(1);
  });
});
