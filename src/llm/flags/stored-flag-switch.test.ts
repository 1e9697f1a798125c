import { expect, it } from "@jest/globals";
import { aDefinition, aTrial } from "../../../test/contracts/describe-flag-store.ts";
import { describeFlagSwitch } from "../../../test/contracts/describe-flag-switch.ts";
import { aStoredFlagBench } from "../../../test/contracts/stored-flag-bench.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { createMemoryFlags } from "../../rehearsal/memory-flags.ts";
import { createMemoryFollowers } from "../../rehearsal/memory-followers.ts";
import type { FlagStore } from "./flag.ts";
import { createStoredFlagSwitch } from "./stored-flag-switch.ts";

async function aSwitch(change: (flags: FlagStore) => Partial<FlagStore> = () => ({})) {
  const clock = createFakeClock();
  const [stored, followers] = [createMemoryFlags(clock), createMemoryFollowers(clock)];
  await stored.set({ key: "export", expected: 0, definition: aDefinition(), by: "anna", reason: "first" });
  const flags = { ...stored, ...change(stored) };
  return { stored, followers, flagSwitch: createStoredFlagSwitch({ flags, followers }) };
}

const off = { key: "export", state: "off", by: "run:1", reason: "it leaks" } as const;

it("switches a flag off and on, once each, and evaluates it as an application does", async () => {
  const { flagSwitch, stored } = await aSwitch();
  expect(await flagSwitch.read("export")).toEqual({ key: "export", state: "on", version: "1" });
  expect(await flagSwitch.evaluate("export", "T-1")).toMatchObject({ value: true, variant: "on", reason: "STATIC" });
  for (let times = 0; times < 2; times += 1)
    expect(await flagSwitch.setState(off)).toEqual({ kind: "set", reading: { key: "export", state: "off", version: "2" } });
  expect(await flagSwitch.evaluate("export", "T-1")).toMatchObject({ value: false, variant: "off", reason: "DISABLED" });
  expect(await stored.read("export")).toMatchObject({ by: "run:1", reason: "it leaks", defaultVariant: "on" });
  expect(await flagSwitch.setState({ ...off, state: "on" })).toMatchObject({ kind: "set", reading: { state: "on", version: "3" } });
});

it("keeps what others changed of the flag at the same time", async () => {
  let others = 3;
  const { flagSwitch, stored } = await aSwitch((flags) => ({
    async set(change) {
      if (others > 0) {
        others -= 1;
        const share = (4 - others) / 10;
        const definition = aTrial({ rollout: { variant: "on", share, salt: "s" } });
        await flags.set({ key: "export", expected: change.expected, definition, by: "bert", reason: "more" });
      }
      return flags.set(change);
    },
  }));
  expect(await flagSwitch.setState(off)).toMatchObject({ kind: "set", reading: { state: "off" } });
  expect(await stored.read("export")).toMatchObject({ state: "off", rollout: { share: 0.4 } });
});

it("refuses when others come first each time", async () => {
  const { flagSwitch } = await aSwitch(() => ({ set: async () => ({ kind: "conflict", flag: undefined }) }));
  expect(await flagSwitch.setState(off)).toEqual({ kind: "refused", reason: expect.stringContaining("it is on") });
});

it("knows no flag that is not there", async () => {
  const { flagSwitch } = await aSwitch();
  expect(await flagSwitch.read("nothing")).toBeUndefined();
  expect(await flagSwitch.setState({ ...off, key: "nothing" })).toEqual({ kind: "unknown" });
  expect(await flagSwitch.evaluate("nothing", "T-1")).toBeUndefined();
  expect(await flagSwitch.followers("nothing")).toEqual({ followers: 0, current: 0 });
});

it("counts the processes that hold the newest version", async () => {
  const { flagSwitch, followers } = await aSwitch();
  await followers.record({ document: "flag/export", instance: "one", tag: "1" });
  await followers.record({ document: "flag/export", instance: "two", tag: undefined });
  expect(await flagSwitch.followers("export")).toEqual({ followers: 2, current: 1 });
  await flagSwitch.setState(off);
  expect(await flagSwitch.followers("export")).toEqual({ followers: 2, current: 0 });
});

it("says of a store that is away that it is, and of a change that it may have been made", async () => {
  const away = async () => Promise.reject(new StoreUnavailable("gone"));
  const { flagSwitch } = await aSwitch(() => ({ read: away }));
  await expect(flagSwitch.read("export")).rejects.toMatchObject({ failure: { reason: "not_reachable", applied: "no" } });
  await expect(flagSwitch.evaluate("export", "T")).rejects.toMatchObject({ failure: { reason: "not_reachable" } });
  await expect(flagSwitch.followers("export")).rejects.toMatchObject({ failure: { reason: "not_reachable" } });
  await expect(flagSwitch.setState(off)).rejects.toMatchObject({ failure: { reason: "unknown_outcome", applied: "unknown" } });
});

const contractClock = createFakeClock();
describeFlagSwitch("Our own store in memory", async () => aStoredFlagBench(createMemoryFlags(contractClock), contractClock), ["is away"]);
