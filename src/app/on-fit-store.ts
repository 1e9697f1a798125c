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

/** While nothing may be claimed no run is due; while the store is unfit no effect begins. What a run has done already is still recorded. */
export function journalOnFitStore(journal: RedisRunJournal, { store: gate, claims }: JournalGates): RedisRunJournal {
  return {
    ...journal,
    due: async (limit) => (claims.isFit() ? journal.due(limit) : []),
    append: async (lease, append) => (append.effect === true && !gate.isFit() ? { kind: "unreplicated" } : journal.append(lease, append)),
  };
}
