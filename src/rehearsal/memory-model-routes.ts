import type { ModelRoute } from "../../packages/sdk/src/wire/routing.ts";
import type { Clock } from "../core/clock.ts";
import { hasTargets, type ModelRoutingStore } from "../llm/routing/model-route.ts";

/** Routes in memory, for rehearsals and tests. `initial` are there from the beginning. */
export function createMemoryModelRoutes(clock: Pick<Clock, "now">, initial: readonly ModelRoute[] = []): ModelRoutingStore {
  const kept = new Map(initial.map((route) => [route.id, route]));
  return {
    read: async (id) => kept.get(id),
    list: async () => [...kept.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    async set({ id, expected, targets, by, reason }) {
      const present = kept.get(id);
      if ((present?.version ?? 0) !== expected)
        return present !== undefined && hasTargets(present, targets)
          ? { kind: "set", route: present }
          : { kind: "conflict", route: present };
      const route = { ...targets, id, version: expected + 1, at: clock.now(), by, reason };
      kept.set(id, route);
      return { kind: "set", route };
    },
  };
}
