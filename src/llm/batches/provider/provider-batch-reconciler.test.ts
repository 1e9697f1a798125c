import { describe, expect, it } from "@jest/globals";
import { createFakeClock } from "../../../../test/fakes/fake-clock.ts";
import { createMemoryProviderBatchStore } from "../../../../test/fakes/memory-provider-batch-store.ts";
import { createMemoryProviderBatches } from "../../../../test/fakes/memory-provider-batches.ts";
import { createPriceTable } from "../../usage/price-table.ts";
import { shippedPrices } from "../../usage/prices.ts";
import { createProviderCostComparison } from "./compare-provider-costs.ts";
import { defaultTimeouts } from "./next-provider-move.ts";
import { createProviderBatchReconciler } from "./provider-batch-reconciler.ts";
import type { ItemVerdict } from "./reconcile-results.ts";

/** A desk, its provider in memory, and tickets that remember what was said about them. */
function aDesk() {
  const clock = createFakeClock();
  const provider = createMemoryProviderBatches(clock);
  const store = createMemoryProviderBatchStore();
  const verdicts = new Map<string, ItemVerdict["kind"][]>();
  const answers = new Map<string, number>();
  const held: string[] = [];
  const desk = createProviderBatchReconciler({
    store,
    providers: { anthropic: provider.port },
    tickets: {
      bodiesOf: async ({ items }) => items.map(({ customId }) => ({ customId, body: {} })),
      async settle(_batch, { ticketId }, verdict) {
        verdicts.set(ticketId, [...(verdicts.get(ticketId) ?? []), verdict.kind]);
        // Counted once by the answer's id, as a ledger does.
        if ("cost" in verdict && verdict.cost.kind === "priced") answers.set(verdict.answerId, verdict.cost.costMicroUsd);
      },
      async pause(_batch, reason) {
        held.push(reason);
      },
    },
    prices: createPriceTable(shippedPrices),
    clock,
    timeouts: defaultTimeouts,
  });
  const compare = createProviderCostComparison({ store, costs: { anthropic: provider.costs }, clock });
  const ticketIds = Array.from({ length: 10 }, (_, index) => `t-${index}`);
  const submit = async () => desk.submit({ key: "b-1/1", provider: "anthropic", batchId: "b-1", ticketIds });
  /** Looks every ten seconds for a while. */
  const lookFor = async (ms: number) => {
    for (let passed = 0; passed <= ms; passed += 10_000) {
      await desk.reconcile();
      await clock.advance(10_000);
    }
  };
  const last = () => [...verdicts.values()].map((kinds) => kinds.at(-1));
  const counted = () => [...answers.values()].reduce((sum, cost) => sum + cost, 0);
  return { clock, provider, store, desk, compare, submit, lookFor, verdicts, last, held, counted };
}

describe("the desk of provider batches", () => {
  it("submits once, follows, and settles every ticket", async () => {
    const { compare, submit, lookFor, provider, store, last, counted } = aDesk();
    expect([await submit(), await submit()]).toEqual(["opened", "known"]);
    await lookFor(30_000);
    expect(provider.created()).toBe(1);
    expect(last()).toEqual(Array.from({ length: 10 }, () => "succeeded"));
    expect([await store.list(), counted()]).toEqual([[], provider.billedMicroUsd()]);
    expect(await submit()).toBe("known");
    expect(await compare()).toMatchObject([{ provider: "anthropic", deltaRatio: 0 }]);
  });

  it("submits once although two processes look at once", async () => {
    const { desk, submit, provider } = aDesk();
    await submit();
    await Promise.all([desk.reconcile(), desk.reconcile(), desk.reconcile()]);
    expect(provider.created()).toBe(1);
  });

  it("finds a submission whose answer was lost, and does not send it twice", async () => {
    const { submit, desk, lookFor, provider, last } = aDesk();
    await submit();
    const on = provider.inject({ kind: "lost_answer" });
    await desk.reconcile();
    on[Symbol.dispose]();
    await lookFor(240_000);
    expect(provider.created()).toBe(1);
    expect(last()).toEqual(Array.from({ length: 10 }, () => "succeeded"));
  });

  it("submits expired items again, twice at most, and then they are dead", async () => {
    const { submit, lookFor, provider, verdicts, store } = aDesk();
    using _ = provider.inject({ kind: "expiry", share: 0.1 });
    await submit();
    await lookFor(120_000);
    expect(provider.created()).toBe(3);
    expect(verdicts.get("t-9")).toEqual(["resubmit", "resubmit", "dead"]);
    expect(verdicts.get("t-0")).toEqual(["succeeded"]);
    expect((await store.closed()).map(({ key, counts }) => [key, counts.succeeded])).toEqual([
      ["b-1/1", 9],
      ["b-1/1+", 0],
      ["b-1/1++", 0],
    ]);
  });

  it("holds everything when the money is gone, and goes on once a person says so", async () => {
    const { submit, desk, lookFor, provider, held, last, verdicts } = aDesk();
    await submit();
    const on = provider.inject({ kind: "spend_limited" });
    await lookFor(120_000);
    expect([held, provider.created(), verdicts.size]).toEqual([["spend_limited"], 0, 0]);
    on[Symbol.dispose]();
    expect(await desk.resume("b-1")).toBe(1);
    await lookFor(30_000);
    expect(last()).toEqual(Array.from({ length: 10 }, () => "succeeded"));
  });

  it("holds the items that found the money gone, without counting that as a try", async () => {
    const { submit, desk, lookFor, provider, held, verdicts, last } = aDesk();
    await submit();
    const on = provider.inject({ kind: "item_error", error: "spend_limited", share: 0.2 });
    await lookFor(60_000);
    expect(held).toEqual(["spend_limited"]);
    expect(verdicts.get("t-0")).toEqual(["pause"]);
    on[Symbol.dispose]();
    await desk.resume("b-1");
    await lookFor(30_000);
    expect(last()).toEqual(Array.from({ length: 10 }, () => "succeeded"));
  });

  it("waits while a provider refuses, cannot, or talks nonsense", async () => {
    for (const kind of ["rate_limited", "overloaded", "nonsense"] as const) {
      const { submit, lookFor, provider, verdicts, last } = aDesk();
      await submit();
      const on = provider.inject({ kind });
      await lookFor(60_000);
      expect(verdicts.size).toBe(0);
      on[Symbol.dispose]();
      await lookFor(120_000);
      expect([provider.created(), ...last()]).toEqual([1, ...Array.from({ length: 10 }, () => "succeeded")]);
    }
  });

  it("waits for late results, and gives what never came to a person after an hour", async () => {
    const { submit, lookFor, provider, verdicts } = aDesk();
    await submit();
    using _ = provider.inject({ kind: "missing_result" });
    await lookFor(120_000);
    expect(verdicts.size).toBe(0);
    await lookFor(3_600_000);
    expect([verdicts.get("t-0"), verdicts.get("t-1")]).toEqual([["person"], ["succeeded"]]);
  });

  it("cancels before and after the provider has it", async () => {
    const early = aDesk();
    await early.submit();
    expect(await early.desk.cancel("b-1")).toBe(1);
    await early.lookFor(0);
    expect([early.provider.created(), ...new Set(early.last())]).toEqual([0, "canceled"]);

    const late = aDesk();
    await late.submit();
    await late.desk.reconcile();
    await late.clock.advance(1000);
    await late.desk.cancel("b-1");
    await late.desk.reconcile();
    await late.clock.advance(1000);
    await late.lookFor(0);
    expect(late.last().filter((kind) => kind === "succeeded").length).toBe(7);
    expect(late.last().filter((kind) => kind === "canceled").length).toBe(3);
    expect(late.counted()).toBe(late.provider.billedMicroUsd());
  });

  it("settles again after a crash between the tickets and the record, and counts nothing twice", async () => {
    const { submit, desk, clock, store, provider, counted, verdicts } = aDesk();
    await submit();
    await desk.reconcile();
    await clock.advance(10_000);
    const close = store.close.bind(store);
    store.close = async () => Promise.reject(new Error("crashed"));
    await expect(desk.reconcile()).rejects.toThrow("could not be looked after");
    store.close = close;
    await desk.reconcile();
    expect(verdicts.get("t-0")).toEqual(["succeeded", "succeeded"]);
    expect([await store.list(), counted()]).toEqual([[], provider.billedMicroUsd()]);
  });

  it("does not compare days on which something is still open", async () => {
    const { submit, desk, compare, lookFor, provider } = aDesk();
    await submit();
    await lookFor(30_000);
    using _ = provider.inject({ kind: "spend_limited" });
    await desk.submit({ key: "b-2/1", provider: "anthropic", batchId: "b-2", ticketIds: ["t-x"] });
    expect(await compare()).toEqual([]);
  });
});
