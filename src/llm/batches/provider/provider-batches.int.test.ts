import { expect, it } from "@jest/globals";
import { startAnthropicBatchServer } from "../../../../demo/simulators/provider-batches/anthropic-batch-server.ts";
import { batchHeadSchema } from "../../../../packages/sdk/src/wire/batches.ts";
import { newTicketSchema } from "../../../../packages/sdk/src/wire/tickets.ts";
import { createRecordedLog } from "../../../../test/fakes/recorded-log.ts";
import { holdRedis } from "../../../../test/servers/hold-redis.ts";
import { createSystemClock } from "../../../core/clock.ts";
import { runPeriodically } from "../../../core/run-periodically.ts";
import { createAnthropicBatches } from "../../../integrations/anthropic/create-anthropic-batches.ts";
import { createAnthropicCosts } from "../../../integrations/anthropic/create-anthropic-costs.ts";
import { openAnthropic } from "../../../integrations/anthropic/open-anthropic.ts";
import { realTimes } from "../../budgets/budget-ledger.ts";
import { createLocalGate } from "../../budgets/local-gate.ts";
import { createBudgetLedger } from "../../budgets/redis-store.ts";
import { createTicketStore } from "../../tickets/redis-store.ts";
import { createPriceTable } from "../../usage/price-table.ts";
import { shippedPrices } from "../../usage/prices.ts";
import { createBatchControl } from "../batch-control.ts";
import { createBatchReconciler } from "../batch-reconciler.ts";
import { createBatchStore } from "../redis-store.ts";
import { createProviderCostComparison } from "./compare-provider-costs.ts";
import { createProviderBatchReconciler } from "./provider-batch-reconciler.ts";
import { createProviderTickets } from "./provider-tickets.ts";
import { createProviderBatchStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

const clock = createSystemClock();

/** A batch of forty single calls for Anthropic, and the keepers that look after it. */
async function open({ durationMs = 300 } = {}) {
  await held.redis.flushall();
  const provider = await startAnthropicBatchServer({ durationMs, cancelMs: 100 });
  // As the product does at its start: loading the SDK takes longer than this test lets a submission take.
  await openAnthropic({ baseUrl: provider.url, apiKey: "sk-ant-api03-test" });
  const tickets = createTicketStore({ redis: held.redis, clock });
  const batches = createBatchStore({ redis: held.redis, clock });
  const ledger = createBudgetLedger({ redis: held.redis, clock, times: realTimes, counts: tickets });
  const publish = () => undefined;
  const gate = createLocalGate({ ledger, publish });
  await ledger.define({ id: "checkout", limitMicroUsd: 10_000_000_000, periodMs: 3_600_000_000, periodStartsAt: 0 });
  await batches.create(batchHeadSchema.parse({ id: "b", budget: "checkout", provider: "anthropic" }), true);
  const request = { model: "claude-haiku-4-5", max_tokens: 100, messages: [{ role: "user", content: "Which label fits?" }] };
  const ids = Array.from({ length: 40 }, (_, index) => `acme/shop#${index}`);
  await tickets.addAll(ids.map((id) => newTicketSchema.parse({ id, budget: "checkout", batchId: "b", payload: { request } })));
  const store = createProviderBatchStore(held.redis);
  const desk = createProviderBatchReconciler({
    store,
    providers: { anthropic: createAnthropicBatches({ baseUrl: provider.url, apiKey: "sk-ant-api03-test" }, clock) },
    tickets: createProviderTickets({
      tickets,
      ledger,
      publish,
      gate,
      clock,
      pause: async (id, reason) => void (await batches.change(id, { gate: "paused", reason })),
    }),
    prices: createPriceTable(shippedPrices),
    clock,
    timeouts: { sendingMs: 200, againMs: 20, resultsMs: 60_000 },
  });
  const control = createBatchControl({ batches, tickets, budgets: ledger, clock });
  const feeder = { enqueueAll: async () => Promise.reject(new Error("no worker is asked")) };
  const keeper = createBatchReconciler({
    batches,
    control,
    tickets,
    gate,
    enqueuer: feeder,
    providerReconciler: desk,
    clock,
    minuteMs: 60_000,
  });
  expect(await control.submit("b")).toEqual({ kind: "submitted" });
  const drain = new AbortController();
  const faults: unknown[] = [];
  const log = createRecordedLog(({ fields }) => faults.push(fields));
  const costs = { anthropic: createAnthropicCosts({ baseUrl: provider.url, apiKey: "sk-ant-admin01-test" }, clock) };
  const compare = createProviderCostComparison({ store, costs, clock });
  const repeat = (intervalMs: number, tick: (signal: AbortSignal) => Promise<unknown>) =>
    runPeriodically({ name: "test", intervalMs, clock, log, signal: drain.signal }, async ({ signal }) => void (await tick(signal)));
  // As two servers do, and one worker.
  const handles = [
    repeat(20, async (signal) => desk.reconcile(signal)),
    repeat(20, async (signal) => desk.reconcile(signal)),
    repeat(100, compare),
  ];
  const until = async (isReached: (batch: NonNullable<Awaited<ReturnType<typeof control.get>>>) => boolean | Promise<boolean>) => {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await clock.sleep(20)) {
      await keeper.reconcile();
      const batch = await control.get("b");
      if (batch !== undefined && (await isReached(batch))) return batch;
    }
    throw new Error(`it did not happen within 20 s: ${JSON.stringify(await control.get("b"))}`);
  };
  return {
    provider,
    ledger,
    store,
    batches,
    until,
    faults,
    async [Symbol.asyncDispose]() {
      drain.abort();
      for (const handle of handles) await handle.close();
      await provider[Symbol.asyncDispose]();
    },
  };
}

it("takes a batch through a lost answer, expiry, double and shuffled results: each ticket ends once, nothing stays reserved, costs agree", async () => {
  await using bench = await open();
  const { provider, ledger, store, until, faults } = bench;
  const lost = provider.inject({ kind: "lost_answer" });
  provider.inject({ kind: "double_results" });
  provider.inject({ kind: "shuffled" });
  const expiry = provider.inject({ kind: "expiry", share: 0.25 });
  await until(() => provider.stats().created === 1);
  lost[Symbol.dispose]();
  await until(async () => (await store.closed()).length === 1);
  expiry[Symbol.dispose]();
  const { counts, spentMicroUsd } = await until(({ state }) => state === "done");
  expect(counts).toMatchObject({ succeeded: 40, dead: 0, waiting: 0, queued: 0 });
  expect(provider.stats().created).toBe(2);
  expect((await store.closed()).map(({ counts: { succeeded, resubmit } }) => [succeeded, resubmit])).toEqual([
    [30, 10],
    [10, 0],
  ]);
  expect(Math.abs(spentMicroUsd / provider.stats().billedMicroUsd - 1)).toBeLessThan(0.02);
  expect(await ledger.read("checkout")).toMatchObject({ committedMicroUsd: 0, spentMicroUsd });
  await until(async () => (await store.deltas()).some(({ oursMicroUsd }) => oursMicroUsd === spentMicroUsd));
  expect(Math.abs((await store.deltas())[0]?.deltaRatio ?? 1)).toBeLessThan(0.02);
  expect(faults).toEqual([]);
});

it("pauses the batch when the money is gone, and goes on when a person lets it", async () => {
  await using bench = await open();
  const { provider, until, batches } = bench;
  const gone = provider.inject({ kind: "spend_limited" });
  const paused = await until(({ gate }) => gate === "paused");
  expect(paused.reason).toBe("spend_limited");
  expect(provider.stats().created).toBe(0);
  gone[Symbol.dispose]();
  // A submission that was on its way may pause it once more.
  const done = await until(async ({ state, gate }) => {
    if (gate === "paused") await batches.change("b", { gate: "open", reason: "" });
    return state === "done";
  });
  expect(done.counts.succeeded).toBe(40);
  expect(provider.stats().created).toBe(1);
});

it("cancels at the provider; what was answered before is kept and paid for", async () => {
  await using bench = await open({ durationMs: 10_000 });
  const { provider, until, batches, ledger } = bench;
  await until(() => provider.stats().created === 1);
  // A tenth is answered then; on the slowest machine the others are not yet.
  await clock.sleep(1000);
  await batches.change("b", { state: "cancelled" });
  const { counts, spentMicroUsd } = await until(({ progress, reservedMicroUsd }) => progress.ended === 40 && reservedMicroUsd === 0);
  expect([counts.succeeded > 0, counts.cancelled > 0, counts.succeeded + counts.cancelled]).toEqual([true, true, 40]);
  expect(Math.abs(spentMicroUsd / provider.stats().billedMicroUsd - 1)).toBeLessThan(0.02);
  expect(await ledger.read("checkout")).toMatchObject({ committedMicroUsd: 0 });
});
