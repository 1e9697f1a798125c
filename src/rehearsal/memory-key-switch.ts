import { StepFailure } from "../core/failure.ts";
import type { KeySwitch } from "../llm/features/key-switch.ts";

/** Keys in memory, for rehearsals and tests. */
export interface MemoryKeySwitch extends KeySwitch {
  /** Makes a key that is active. */
  add(id: string): void;
  /** How many times a disabled key comes back, as with a cache that writes an old key again. */
  restoreTimes(id: string, times: number): void;
  /** While set, every member rejects with it. */
  fail(failure: StepFailure["failure"] | undefined): void;
}

/** A system of keys that can say whether it would refuse one. */
export function createMemoryKeySwitch(ids: readonly string[] = []): MemoryKeySwitch {
  const keys = new Map(ids.map((id) => [id, { isDisabled: false, restores: 0 }]));
  let failure: StepFailure["failure"] | undefined;
  const find = (id: string) => {
    if (failure !== undefined) throw new StepFailure(failure);
    return keys.get(id);
  };
  return {
    add: (id) => void keys.set(id, { isDisabled: false, restores: 0 }),
    restoreTimes(id, times) {
      const key = keys.get(id);
      if (key !== undefined) key.restores = times;
    },
    fail: (next) => void (failure = next),
    async read(id) {
      const key = find(id);
      return key === undefined ? undefined : { id, state: key.isDisabled ? "disabled" : "active" };
    },
    async disable(id) {
      const key = find(id);
      if (key === undefined) return false;
      key.isDisabled = true;
      return true;
    },
    async isRefused(id) {
      const key = find(id);
      if (key === undefined) return undefined;
      const refused = key.isDisabled && key.restores === 0;
      // The state says disabled, and a cache does not know it yet.
      if (key.isDisabled && key.restores > 0) key.restores -= 1;
      return refused;
    },
  };
}
