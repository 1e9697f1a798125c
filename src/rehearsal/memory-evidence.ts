import type { Evidence } from "../../packages/sdk/src/wire/evidence.ts";
import type { EvidenceStore } from "../llm/features/evidence.ts";

/** Evidence in memory, for rehearsals and tests. */
export function createMemoryEvidence(): EvidenceStore {
  const kept = new Map<string, Evidence>();
  const sealed = new Set<string>();
  return {
    async put(evidence) {
      const { id } = evidence.manifest;
      const first = kept.get(id) ?? evidence;
      kept.set(id, first);
      return first;
    },
    read: async (id) => kept.get(id),
    async seal(id) {
      sealed.add(id);
    },
    isSealed: async (id) => sealed.has(id),
    list: async (limit) => [...kept.keys()].toReversed().slice(0, limit),
  };
}
