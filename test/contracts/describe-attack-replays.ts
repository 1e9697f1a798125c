import { describe, expect, it } from "@jest/globals";
import type { AttackReplay, AttackReplayStore, ReplayOutcome } from "../../src/llm/attacks/attack-replay.ts";

/** A replay of what is deployed, of 60 tries without a hit. */
export function anAttackReplay(change: Partial<AttackReplay> = {}, outcome: Partial<ReplayOutcome> = {}): AttackReplay {
  return {
    id: "replay-1",
    feature: "export",
    version: "deployed",
    begunBy: "schedule",
    at: 5,
    corpus: "c".repeat(64),
    outcome: {
      sha: "a".repeat(40),
      tries: 60,
      hits: 0,
      failed: 0,
      bound: 0.0487,
      attacks: [{ id: "export-injection", tries: 60, hits: 0 }],
      ...outcome,
    },
    ...change,
  };
}

interface Bench {
  readonly store: AttackReplayStore;
  /** Lets time pass. */
  readonly pass: (ms: number) => Promise<void>;
}

/** The specification of every store of replays. */
export function describeAttackReplays(name: string, open: () => Promise<Bench>): void {
  describe(`${name} as a store of replays`, () => {
    it("keeps each under its id, whole, and the first that was written", async () => {
      const { store } = await open();
      expect(await store.read("replay-1")).toBeUndefined();
      await store.put(anAttackReplay());
      await store.put(anAttackReplay({ at: 6 }, { hits: 60 }));
      expect(await store.read("replay-1")).toEqual(anAttackReplay());
      expect(await store.scheduled()).toEqual([anAttackReplay()]);
    });

    it("lists the newest scheduled replay of each feature, and none that a run has begun", async () => {
      const { store } = await open();
      await store.put(anAttackReplay());
      await store.put(anAttackReplay({ id: "replay-2", at: 7 }));
      await store.put(anAttackReplay({ id: "replay-3", feature: "search" }));
      await store.put(anAttackReplay({ id: "replay-4", begunBy: "run", at: 9 }));
      const scheduled = await store.scheduled();
      expect(scheduled.map(({ id }) => id).toSorted()).toEqual(["replay-2", "replay-3"]);
      expect(await store.read("replay-4")).toMatchObject({ begunBy: "run" });
    });

    it("lets one caller begin a scheduled replay of a feature within a time", async () => {
      const { store, pass } = await open();
      expect(await Promise.all([store.claim("export", 50), store.claim("export", 50), store.claim("search", 50)])).toEqual([
        true,
        false,
        true,
      ]);
      await pass(100);
      expect(await store.claim("export", 50)).toBe(true);
    });
  });
}
