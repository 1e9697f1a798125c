import { describe, expect, it } from "@jest/globals";
import type { ClosedProviderBatch, OpenProviderBatch, ProviderBatchStore } from "../../src/llm/batches/provider/open-provider-batch.ts";

const aSubmission = (change: Partial<OpenProviderBatch> = {}): OpenProviderBatch => ({
  key: "b-1/1",
  provider: "anthropic",
  batchId: "b-1",
  items: [{ customId: "c-1", ticketId: "t-1", resubmissions: 0 }],
  state: "ready",
  reason: "",
  notBefore: 1000,
  cancel: false,
  revision: 0,
  ...change,
});

const aSettled = (change: Partial<ClosedProviderBatch> = {}): ClosedProviderBatch => ({
  key: "b-1/1",
  provider: "anthropic",
  batchId: "b-1",
  startedAt: 1000,
  endedAt: 2000,
  closedAt: 3000,
  counts: { succeeded: 1, resubmit: 0, pause: 0, dead: 0, person: 0, canceled: 0, wait: 0 },
  costMicroUsd: 2250,
  unpriced: 0,
  unknownIds: 0,
  doubleIds: 0,
  conflictingIds: 0,
  unreadableLines: 0,
  ...change,
});

/** The specification of every store of submissions. `open` makes a fresh one. */
export function describeProviderBatchStore(name: string, open: () => Promise<ProviderBatchStore>): void {
  describe(`${name} as a store of submissions to providers`, () => {
    it("knows a key for ever, also after it was settled", async () => {
      const store = await open();
      expect(await store.open(aSubmission())).toBe("opened");
      expect(await store.open(aSubmission({ items: [] }))).toBe("known");
      expect(await store.list()).toEqual([aSubmission()]);
      expect(await store.close(aSubmission(), aSettled())).toBe(true);
      expect(await store.open(aSubmission())).toBe("known");
      expect([await store.list(), await store.closed()]).toEqual([[], [aSettled()]]);
    });

    it("lets one of two writers win", async () => {
      const store = await open();
      await store.open(aSubmission());
      const [read = aSubmission()] = await store.list();
      const put = await store.put({ ...read, state: "submitting", startedAt: 5, id: "msgbatch_1", endedAt: 6 });
      expect(put).toEqual(aSubmission({ state: "submitting", startedAt: 5, id: "msgbatch_1", endedAt: 6, revision: 1 }));
      expect(await store.list()).toEqual([put]);
      expect(await store.put({ ...read, state: "paused" })).toBeUndefined();
      expect(await store.close(read, aSettled())).toBe(false);
      expect(await store.put(aSubmission({ key: "b-9/1" }))).toBeUndefined();
      expect(await store.closed()).toEqual([]);
    });

    it("forgets what was settled longer ago than providers keep results", async () => {
      const store = await open();
      for (const [key, closedAt] of [
        ["old", 0],
        ["young", 10],
        ["new", 35 * 86_400_000 + 5],
      ] as const) {
        await store.open(aSubmission({ key }));
        await store.close(aSubmission({ key }), aSettled({ key, closedAt }));
      }
      expect((await store.closed()).map(({ key }) => key)).toEqual(["young", "new"]);
    });

    it("keeps the newest comparison of each provider", async () => {
      const store = await open();
      const delta = { provider: "openai", at: 1, oursMicroUsd: 10, providerMicroUsd: 0 };
      await store.putDelta(delta);
      await store.putDelta({ ...delta, provider: "anthropic", deltaRatio: 0.5 });
      await store.putDelta({ ...delta, provider: "anthropic", deltaRatio: 0.01 });
      expect(await store.deltas()).toEqual([{ ...delta, provider: "anthropic", deltaRatio: 0.01 }, delta]);
    });
  });
}
