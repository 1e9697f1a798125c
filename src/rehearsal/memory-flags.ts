import type { Flag } from "../../packages/sdk/src/wire/flags.ts";
import type { Clock } from "../core/clock.ts";
import { definitionOf, type FlagStore, isSameDefinition, maxFlags } from "../llm/flags/flag.ts";

/** Flags in memory, for rehearsals and tests. `initial` are there from the beginning. */
export function createMemoryFlags(clock: Pick<Clock, "now">, initial: readonly Flag[] = []): FlagStore {
  const kept = new Map(initial.map((flag) => [flag.key, flag]));
  const byKey = () => [...kept.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return {
    read: async (key) => kept.get(key),
    find: async (keys) => byKey().filter(({ key }) => keys.includes(key)),
    list: async () => byKey(),
    async set({ key, expected, definition, by, reason }) {
      const present = kept.get(key);
      if ((present?.version ?? 0) !== expected)
        return present !== undefined && isSameDefinition(present, definition)
          ? { kind: "set", flag: present }
          : { kind: "conflict", flag: present };
      if (present === undefined && kept.size >= maxFlags) return { kind: "full" };
      const flag = { ...definitionOf(definition), key, version: expected + 1, at: clock.now(), by, reason };
      kept.set(key, flag);
      return { kind: "set", flag };
    },
  };
}
