import type { AcceptStore } from "../alerts/store.ts";
import type { StoreGate } from "../core/store-gate.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import type { RedisRunJournal } from "../runs/redis-store.ts";

/** Accepts nothing while the store is unfit: every call rejects with `StoreUnavailable`. */
export function acceptOnFitStore(store: AcceptStore, gate: Pick<StoreGate, "isFit">): AcceptStore {
  const requireFit = (): void => {
    if (!gate.isFit()) throw new StoreUnavailable("The store is unfit or has not been judged.");
  };
  return {
    async read(keys) {
      requireFit();
      return store.read(keys);
    },
    async accept(writes) {
      requireFit();
      return store.accept(writes);
    },
  };
}

/** By what a journal is held up. */
export interface JournalGates {
  readonly store: Pick<StoreGate, "isFit">;
  readonly claims: Pick<StoreGate, "isFit">;
}

/**
 * While nothing may be claimed no run is due; while the store is unfit no effect and no undo begins. What a run has done already is still recorded.
 *
 * A worker's connection sends a command that was on its way again once it has a server again, which may be another one, or one with other settings. So
 * the store is asked for before and after.
 */
export function journalOnFitStore(journal: RedisRunJournal, { store: gate, claims }: JournalGates): RedisRunJournal {
  return {
    ...journal,
    due: async (limit) => (claims.isFit() ? journal.due(limit) : []),
    async claim(runId) {
      const claimed = await journal.claim(runId);
      // Its lease ends, as that of a worker that died.
      return "refused" in claimed || gate.isFit() ? claimed : { refused: "leased" };
    },
    async append(lease, append) {
      if (append.precedes === undefined) return journal.append(lease, append);
      if (!gate.isFit()) return { kind: "unreplicated" };
      const result = await journal.append(lease, append);
      return result.kind === "ok" && !gate.isFit() ? { ...result, unreplicated: true } : result;
    },
  };
}
