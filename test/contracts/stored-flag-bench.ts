import type { Clock } from "../../src/core/clock.ts";
import { StoreUnavailable } from "../../src/core/store-unavailable.ts";
import type { FlagStore } from "../../src/llm/flags/flag.ts";
import { createStoredFlagSwitch } from "../../src/llm/flags/stored-flag-switch.ts";
import { createMemoryFollowers } from "../../src/rehearsal/memory-followers.ts";
import type { FlagSwitchBench } from "./describe-flag-switch.ts";

/** Three flags in a store of ours; the fault of the bench is "is away". */
export async function aStoredFlagBench(store: FlagStore, clock: Pick<Clock, "now">): Promise<FlagSwitchBench> {
  const [on, partly, off] = ["export-pdf", "summaries", "search"];
  const base = { type: "boolean", variants: { on: true, off: false }, offVariant: "off" } as const;
  const definitions = {
    [on]: { ...base, state: "on", defaultVariant: "on", rollout: null },
    [partly]: { ...base, state: "on", defaultVariant: "off", rollout: { variant: "on", share: 0.5, salt: "s" } },
    [off]: { ...base, state: "off", defaultVariant: "on", rollout: null },
  } as const;
  for (const [key, definition] of Object.entries(definitions))
    await store.set({ key, expected: 0, definition, by: "anna", reason: "first" });
  let isAway = false;
  const orAway =
    <Arguments extends readonly unknown[], Value>(call: (...given: Arguments) => Promise<Value>) =>
    async (...given: Arguments): Promise<Value> => {
      if (isAway) throw new StoreUnavailable("The store does not answer.");
      return call(...given);
    };
  const flags: FlagStore = {
    read: orAway(async (key) => store.read(key)),
    find: orAway(async (keys) => store.find(keys)),
    list: orAway(async () => store.list()),
    set: orAway(async (change) => store.set(change)),
  };
  return {
    flags: createStoredFlagSwitch({ flags, followers: createMemoryFollowers(clock) }),
    on,
    partly,
    off,
    secrets: [],
    settle: async () => undefined,
    faults: { "is away": () => void (isAway = true) },
    async [Symbol.asyncDispose]() {},
  };
}
