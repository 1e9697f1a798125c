import type {
  ClosedProviderBatch,
  OpenProviderBatch,
  ProviderBatchStore,
  ProviderDelta,
} from "../../src/llm/batches/provider/open-provider-batch.ts";

/** The store of submissions in memory. */
export function createMemoryProviderBatchStore(): ProviderBatchStore {
  const open = new Map<string, OpenProviderBatch>();
  const closed = new Map<string, ClosedProviderBatch>();
  const deltas = new Map<string, ProviderDelta>();
  const isCurrent = ({ key, revision }: OpenProviderBatch) => open.get(key)?.revision === revision;
  return {
    async open(batch) {
      if (open.has(batch.key) || closed.has(batch.key)) return "known";
      open.set(batch.key, { ...batch, revision: 0 });
      return "opened";
    },
    list: async () => [...open.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    async put(batch) {
      if (!isCurrent(batch)) return undefined;
      const next = { ...batch, revision: batch.revision + 1 };
      open.set(batch.key, next);
      return next;
    },
    async close(batch, record) {
      if (!isCurrent(batch)) return false;
      open.delete(batch.key);
      closed.set(batch.key, record);
      for (const [key, { closedAt }] of closed) if (closedAt < record.closedAt - 35 * 86_400_000) closed.delete(key);
      return true;
    },
    closed: async () => [...closed.values()].sort((a, b) => a.closedAt - b.closedAt),
    async putDelta(delta) {
      deltas.set(delta.provider, delta);
    },
    deltas: async () => [...deltas.values()].sort((a, b) => (a.provider < b.provider ? -1 : 1)),
  };
}
