import { describe, expect, it } from "@jest/globals";
import type { RedisRunJournal } from "../runs/redis-store.ts";
import type { Append, AppendResult, ClaimedRun } from "../runs/store.ts";
import { journalOnFitStore } from "./on-fit-store.ts";

const lease = { runId: "r", token: "1:a", epoch: 1 };
const claimed: ClaimedRun = { lease, journal: [], head: "h", stalls: 1, notices: {} };
const written: AppendResult = { kind: "ok", head: "i", notices: {} };
const append: Append = {
  head: "h",
  entries: [],
  state: "running",
  summary: {},
  claims: [],
  recordedNotices: { stop: false, resolved: false },
};

/** A journal whose store becomes fit or unfit while a call is on its way. */
function aJournal({ isFit, isFitAfterwards = isFit }: { readonly isFit: boolean; readonly isFitAfterwards?: boolean }) {
  let fit = isFit;
  const calls: string[] = [];
  const call = async <Result>(name: string, result: Result): Promise<Result> => {
    calls.push(name);
    fit = isFitAfterwards;
    return result;
  };
  const inner: RedisRunJournal = {
    leaseMs: 1000,
    claim: async () => call("claim", claimed),
    append: async () => call("append", written),
    renew: async () => call("renew", { renewed: true, notices: {} }),
    due: async () => call("due", ["r"]),
    reclaimLeases: async () => call("reclaim", []),
    openRuns: async () => call("open", new Map()),
    dueLagSeconds: async () => call("lag", 0),
  };
  const store = { isFit: () => fit };
  return { journal: journalOnFitStore(inner, { store, claims: store }), calls };
}

describe("a journal on a store that is unfit", () => {
  it("has no due runs, begins no effect and no undo, and records what was done", async () => {
    const { journal, calls } = aJournal({ isFit: false });
    expect(await journal.due(10)).toEqual([]);
    expect(await journal.append(lease, { ...append, precedes: "effect" })).toEqual({ kind: "unreplicated" });
    expect(await journal.append(lease, { ...append, precedes: "undo" })).toEqual({ kind: "unreplicated" });
    expect(await journal.append(lease, append)).toEqual(written);
    expect(calls).toEqual(["append"]);
  });

  it("begins nothing with an intent that was written when the store had become unfit", async () => {
    for (const precedes of ["effect", "undo"] as const) {
      const { journal } = aJournal({ isFit: true, isFitAfterwards: false });
      expect(await journal.append(lease, { ...append, precedes })).toEqual({ ...written, unreplicated: true });
    }
  });

  it("takes no run whose claim was written when the store had become unfit", async () => {
    expect(await aJournal({ isFit: true, isFitAfterwards: false }).journal.claim("r")).toEqual({ refused: "leased" });
    expect(await aJournal({ isFit: true }).journal.claim("r")).toEqual(claimed);
  });
});
