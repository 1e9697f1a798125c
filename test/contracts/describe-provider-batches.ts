import { describe, expect, it } from "@jest/globals";
import type { BatchQuirk } from "../../demo/simulators/provider-batches/batch-quirk.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { Clock } from "../../src/core/clock.ts";
import { dayMs } from "../../src/core/duration.ts";
import {
  customIdOf,
  type ProviderBatches,
  type ProviderCostReport,
  ProviderFailure,
  type ProviderResult,
} from "../../src/llm/batches/provider/provider-batch.ts";
import { compareCosts, type Reconciliation, reconcileResults } from "../../src/llm/batches/provider/reconcile-results.ts";
import { createPriceTable } from "../../src/llm/usage/price-table.ts";
import { shippedPrices } from "../../src/llm/usage/prices.ts";

/** An implementation of the port with a provider behind it that the suite can steer. */
export interface ProviderBench {
  readonly port: ProviderBatches;
  readonly costs: ProviderCostReport;
  readonly clock: Pick<Clock, "now">;
  /** Lets time go by at the provider: a batch that nothing disturbs ends after 2 s, a cancelled one after 0.5 s. */
  pass(ms: number): Promise<void>;
  inject(quirk: BatchQuirk): Disposable;
  /** Batches that the provider has. */
  created(): number;
  billedMicroUsd(): number;
  /** A body that the provider answers. */
  readonly bodyOf: (text: string) => { readonly [field: string]: Json };
  /** Whether bad input fails the batch or its items. */
  readonly refuses: "batch" | "items";
  /** Whether a running batch whose creation was not answered can be told from others. */
  readonly namesBatches: boolean;
}

const prices = createPriceTable(shippedPrices);

/** The specification of every provider's batches. `open` makes a provider that nobody has used. */
export function describeProviderBatches(name: string, open: () => Promise<ProviderBench>): void {
  describe(`${name} as a provider of batches`, () => {
    const submissionOf = ({ bodyOf }: ProviderBench, count: number, key = "b-1/1") => {
      const tickets = Array.from({ length: count }, (_, index) => `t-${index}`);
      const items = tickets.map((ticketId) => ({ ticketId, customId: customIdOf(key, ticketId), resubmissions: 0 }));
      return { key, known: items, items: items.map(({ customId, ticketId }) => ({ customId, body: bodyOf(`Plan ticket ${ticketId}.`) })) };
    };
    const resultsOf = async ({ port }: ProviderBench, id: string): Promise<ProviderResult[]> => {
      const results: ProviderResult[] = [];
      for await (const result of port.results(id)) results.push(result);
      return results;
    };
    const reconcile = async (
      bench: ProviderBench,
      id: string,
      items: ReturnType<typeof submissionOf>["known"],
    ): Promise<Reconciliation> => {
      const { unnamed, endedAt = 0 } = await bench.port.read(id);
      const facts = { provider: bench.port.provider, items, prices, endedAt, isOverdue: false, ...(unnamed !== undefined && { unnamed }) };
      return reconcileResults(await resultsOf(bench, id), facts);
    };
    const troubleOf = async (call: Promise<unknown>) =>
      call.then(
        () => undefined,
        (error: unknown) => (error instanceof ProviderFailure ? error.trouble : error),
      );
    /** Submits ten items under a quirk that is on from before the batch until after its results were read. */
    const play = async (quirk: BatchQuirk) => {
      const bench = await open();
      using _ = bench.inject(quirk);
      const submission = submissionOf(bench, 10);
      const id = await bench.port.submit(submission);
      await bench.pass(2500);
      return { bench, id, told: await reconcile(bench, id, submission.known) };
    };

    it("answers every item once, at the cost that the provider bills", async () => {
      const bench = await open();
      const submission = submissionOf(bench, 10);
      const startedAt = bench.clock.now();
      const id = await bench.port.submit(submission);
      expect(await bench.port.read(id)).toMatchObject({
        id,
        state: expect.stringMatching(/validating|running/),
        createdAt: expect.any(Number),
      });
      await bench.pass(2500);
      expect(await bench.port.read(id)).toMatchObject({ state: "ended", items: 10, endedItems: 10, faults: [] });
      const told = await reconcile(bench, id, submission.known);
      expect(told.counts).toMatchObject({ succeeded: 10 });
      expect(told).toMatchObject({ unpriced: 0, unknownIds: [], doubleIds: [], unreadableLines: 0 });
      expect(told.costMicroUsd).toBeGreaterThan(0);
      expect(compareCosts(told.costMicroUsd, bench.billedMicroUsd()).isWithin).toBe(true);
      const from = Math.floor(startedAt / dayMs) * dayMs;
      const reported = await bench.costs.batchCost(from, from + 9 * dayMs);
      expect(compareCosts(told.costMicroUsd, reported)).toMatchObject({ isWithin: true, providerMicroUsd: expect.any(Number) });
      expect(await bench.costs.batchCost(from - 2 * dayMs, from - dayMs)).toBe(0);
    });

    it("has no results before the end", async () => {
      const bench = await open();
      const id = await bench.port.submit(submissionOf(bench, 3));
      expect(await troubleOf(resultsOf(bench, id))).toBe("not_ready");
    });

    it("tells a batch that it does not know, also under a name that is none", async () => {
      const { port } = await open();
      expect(await troubleOf(port.read("batch_none"))).toBe("missing");
      expect(await troubleOf(port.read("../../organizations"))).toBe("missing");
    });

    it("keeps what was answered before it was cancelled, and cancels the rest", async () => {
      const bench = await open();
      const submission = submissionOf(bench, 10);
      const id = await bench.port.submit(submission);
      await bench.pass(1000);
      await bench.port.cancel(id);
      await bench.port.cancel(id);
      expect((await bench.port.read(id)).state).toBe("cancelling");
      await bench.pass(600);
      await bench.port.cancel(id);
      expect((await bench.port.read(id)).state).toBe("ended");
      const { counts, costMicroUsd } = await reconcile(bench, id, submission.known);
      expect(counts.succeeded).toBeGreaterThan(0);
      expect(counts.canceled).toBeGreaterThan(0);
      expect(counts.succeeded + counts.canceled).toBe(10);
      expect(compareCosts(costMicroUsd, bench.billedMicroUsd()).isWithin).toBe(true);
    });

    it("submits the expired items again and no others", async () => {
      const { told, bench } = await play({ kind: "expiry", share: 0.3 });
      expect(told.counts).toMatchObject({ succeeded: 7, resubmit: 3 });
      const again = told.verdicts.flatMap(({ item, verdict }) => (verdict.kind === "resubmit" ? [item.ticketId] : []));
      expect(again).toEqual(["t-7", "t-8", "t-9"]);
      expect(compareCosts(told.costMicroUsd, bench.billedMicroUsd()).isWithin).toBe(true);
    });

    it.each([
      ["overloaded", "resubmit"],
      ["rate_limited", "resubmit"],
      ["server_error", "resubmit"],
      ["spend_limited", "pause"],
      ["invalid", "dead"],
    ] as const)("judges items that ended %s", async (error, kind) => {
      const { told } = await play({ kind: "item_error", error, share: 0.4 });
      expect(told.counts).toMatchObject({ succeeded: 6, [kind]: 4 });
    });

    it("hands what the model refused to a person", async () => {
      const { told } = await play({ kind: "refusal", share: 0.2 });
      expect(told.counts).toMatchObject({ succeeded: 8, person: 2 });
    });

    it("hears of bad input late", async () => {
      const bench = await open();
      using _ = bench.inject({ kind: "input_error" });
      const submission = submissionOf(bench, 4);
      const id = await bench.port.submit(submission);
      await bench.pass(2500);
      const { state, faults } = await bench.port.read(id);
      const dead = state === "ended" ? (await reconcile(bench, id, submission.known)).counts.dead : 0;
      expect({ state, faults: faults.map(({ code, line }) => ({ code, line })), dead }).toEqual(
        bench.refuses === "batch"
          ? { state: "failed", faults: [{ code: "model_mismatch", line: 1 }], dead: 0 }
          : { state: "ended", faults: [], dead: 4 },
      );
    });

    it("does not take silence for progress when counts come late", async () => {
      const bench = await open();
      using _ = bench.inject({ kind: "late_counts" });
      const id = await bench.port.submit(submissionOf(bench, 10));
      await bench.pass(1500);
      const { state, endedItems } = await bench.port.read(id);
      expect([state, endedItems]).toEqual(["running", undefined]);
    });

    it("reads shuffled results alike", async () => {
      const { told } = await play({ kind: "shuffled" });
      expect(told.counts.succeeded).toBe(10);
    });

    it("counts results that come twice once", async () => {
      const { told, bench } = await play({ kind: "double_results" });
      expect(told.counts.succeeded).toBe(10);
      expect(told.doubleIds).toHaveLength(10);
      expect(told.conflictingIds).toEqual([]);
      expect(compareCosts(told.costMicroUsd, bench.billedMicroUsd()).isWithin).toBe(true);
    });

    it("reads on behind a broken line, whose item waits", async () => {
      const { told } = await play({ kind: "broken_line" });
      expect(told).toMatchObject({ unreadableLines: 1, counts: { succeeded: 9, wait: 1 } });
    });

    it("does nothing with a result of somebody else", async () => {
      const { told } = await play({ kind: "foreign_result" });
      expect(told).toMatchObject({ unknownIds: ["of-somebody-else"], counts: { succeeded: 10 } });
    });

    it("waits for a result that is late", async () => {
      const bench = await open();
      const submission = submissionOf(bench, 5);
      const id = await bench.port.submit(submission);
      await bench.pass(2500);
      const late = bench.inject({ kind: "missing_result" });
      expect((await reconcile(bench, id, submission.known)).counts).toMatchObject({ succeeded: 4, wait: 1 });
      late[Symbol.dispose]();
      expect((await reconcile(bench, id, submission.known)).counts).toMatchObject({ succeeded: 5 });
    });

    it.each([
      ["spend_limited", "spend_limited"],
      ["rate_limited", "rate_limited"],
      ["overloaded", "unavailable"],
    ] as const)("creates nothing while it is %s", async (kind, trouble) => {
      const bench = await open();
      const on = bench.inject({ kind });
      const submission = submissionOf(bench, 2);
      expect(await troubleOf(bench.port.submit(submission))).toBe(trouble);
      on[Symbol.dispose]();
      expect(bench.created()).toBe(0);
      expect(await bench.port.find({ key: submission.key, customIds: [], since: bench.clock.now(), known: [] })).toEqual({ kind: "none" });
      await bench.port.submit(submission);
      expect(bench.created()).toBe(1);
    });

    it("says when to come back", async () => {
      const bench = await open();
      using _ = bench.inject({ kind: "rate_limited" });
      await expect(bench.port.submit(submissionOf(bench, 2))).rejects.toMatchObject({ trouble: "rate_limited", retryAfterMs: 7000 });
    });

    it("calls an answer that is no batch nonsense, and comes back from it", async () => {
      const bench = await open();
      const id = await bench.port.submit(submissionOf(bench, 2));
      const on = bench.inject({ kind: "nonsense" });
      expect(await troubleOf(bench.port.read(id))).toBe("nonsense");
      on[Symbol.dispose]();
      expect((await bench.port.read(id)).id).toBe(id);
    });

    it("finds a submission again whose answer was lost, and no other of the same size", async () => {
      const bench = await open();
      const since = bench.clock.now();
      const other = submissionOf(bench, 4, "b-2/1");
      const otherId = await bench.port.submit(other);
      const submission = submissionOf(bench, 4);
      const on = bench.inject({ kind: "lost_answer" });
      expect(await troubleOf(bench.port.submit(submission))).toBe("unknown_outcome");
      on[Symbol.dispose]();
      expect(bench.created()).toBe(2);
      const trace = { key: submission.key, customIds: submission.items.map(({ customId }) => customId), since, known: [] };
      const first = await bench.port.find(trace);
      // Where batches have no name, nobody takes one for ours before its results say so.
      expect(first.kind).toBe(bench.namesBatches ? "found" : "unclear");
      await bench.pass(2500);
      const found = await bench.port.find(trace);
      const foundId = found.kind === "found" ? found.id : "";
      expect(["", otherId]).not.toContain(foundId);
      expect((await reconcile(bench, foundId, submission.known)).counts.succeeded).toBe(4);
    });

    it("finds nothing of a submission that never arrived", async () => {
      const bench = await open();
      const submission = submissionOf(bench, 4);
      await bench.port.submit(submissionOf(bench, 4, "b-2/1"));
      await bench.pass(2500);
      const customIds = submission.items.map(({ customId }) => customId);
      expect(await bench.port.find({ key: submission.key, customIds, since: bench.clock.now() - 3000, known: [] })).toEqual({
        kind: "none",
      });
    });
  });
}
