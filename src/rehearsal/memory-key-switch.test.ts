import { expect, it } from "@jest/globals";
import { describeKeySwitch } from "../../test/contracts/describe-key-switch.ts";
import { createMemoryKeySwitch } from "./memory-key-switch.ts";

describeKeySwitch("Memory", async () => {
  const keys = createMemoryKeySwitch(["one", "two"]);
  const failure = { reason: "not_reachable", message: "It is away.", applied: "no" } as const;
  return {
    keys,
    active: "one",
    other: "two",
    unknown: "three",
    secrets: [],
    faults: { "is away": () => keys.fail(failure) },
    async [Symbol.asyncDispose]() {},
  };
}, ["is away"]);

it("lets a key in as often as a cache brings it back", async () => {
  const keys = createMemoryKeySwitch(["one"]);
  keys.restoreTimes("one", 2);
  await keys.disable("one");
  expect([await keys.isRefused("one"), await keys.isRefused("one"), await keys.isRefused("one")]).toEqual([false, false, true]);
});

it("has no trouble once it is over", async () => {
  const keys = createMemoryKeySwitch();
  keys.fail({ reason: "not_reachable", message: "It is away.", applied: "no" });
  await expect(keys.read("one")).rejects.toThrow("It is away.");
  keys.fail(undefined);
  keys.add("one");
  expect(await keys.read("one")).toEqual({ id: "one", state: "active" });
});
