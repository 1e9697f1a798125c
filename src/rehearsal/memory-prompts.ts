import { canonicalJson } from "../../packages/sdk/src/wire/json.ts";
import type { NewPromptVersion, PromptRollout, PromptState, PromptVersion } from "../../packages/sdk/src/wire/prompts.ts";
import type { Clock } from "../core/clock.ts";
import { layoutHash, type PromptStore, productionLabel } from "../llm/prompts/prompt.ts";
import type { PromptRolloutStore } from "../llm/prompts/prompt-rollout-store.ts";

interface Entry {
  readonly versions: PromptVersion[];
  readonly labels: Map<string, number>;
}

/** Prompts in memory, for rehearsals and tests. `shipped` are there from the beginning, labelled production. */
export function createMemoryPrompts(
  clock: Pick<Clock, "now">,
  shipped: readonly { readonly name: string; readonly version: NewPromptVersion }[] = [],
): PromptStore {
  const prompts = new Map<string, Entry>();
  for (const { name, version } of shipped) {
    const hash = layoutHash(version.layout);
    const first: PromptVersion = { ...version, prompt: name, version: 1, hash, createdAt: clock.now(), createdBy: "shipped" };
    prompts.set(name, { versions: [first], labels: new Map([[productionLabel, 1]]) });
  }

  const stateOf = (name: string): PromptState | undefined => {
    const entry = prompts.get(name);
    return entry && { name, latest: entry.versions.length, labels: Object.fromEntries(entry.labels) };
  };

  return {
    async create(prompt, version, by) {
      const entry: Entry = prompts.get(prompt) ?? { versions: [], labels: new Map() };
      prompts.set(prompt, entry);
      const hash = layoutHash(version.layout);
      const existing = entry.versions.find((one) => one.hash === hash);
      if (existing !== undefined) return existing;
      const made: PromptVersion = { ...version, prompt, version: entry.versions.length + 1, hash, createdAt: clock.now(), createdBy: by };
      entry.versions.push(made);
      return made;
    },
    version: async (prompt, version) => prompts.get(prompt)?.versions[version - 1],
    read: async (prompt) => stateOf(prompt),
    versions: async (prompt, limit) => prompts.get(prompt)?.versions.toReversed().slice(0, limit) ?? [],
    list: async ({ after, limit }) =>
      [...prompts.keys()]
        .toSorted()
        .filter((name) => after === undefined || name > after)
        .slice(0, limit)
        .flatMap((name) => stateOf(name) ?? []),
    async moveLabel({ prompt, label, expected, to }) {
      const entry = prompts.get(prompt);
      if (entry === undefined || (to !== null && entry.versions[to - 1] === undefined)) return { kind: "not_found" };
      const present = entry.labels.get(label) ?? null;
      if (present !== expected) return { kind: "conflict", present };
      if (to === null) entry.labels.delete(label);
      else entry.labels.set(label, to);
      return { kind: "moved", before: present, after: to };
    },
  };
}

/** Canaries in memory, for rehearsals and tests. */
export function createMemoryPromptRollouts(): PromptRolloutStore {
  const rollouts = new Map<string, PromptRollout>();
  return {
    read: async (prompt) => rollouts.get(prompt) ?? null,
    async compareAndSet(prompt, expected, next) {
      const present = rollouts.get(prompt) ?? null;
      if (canonicalJson(present) !== canonicalJson(expected)) return { set: false, rollout: present };
      if (next === null) rollouts.delete(prompt);
      else rollouts.set(prompt, next);
      return { set: true, rollout: next };
    },
  };
}
