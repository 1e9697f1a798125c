import { expect, it } from "@jest/globals";
import { describeShareControl } from "../../../test/contracts/describe-share-control.ts";
import { aFlagBench } from "../../../test/contracts/share-benches.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryFlags } from "../../rehearsal/memory-flags.ts";
import { createMemoryFollowers } from "../../rehearsal/memory-followers.ts";
import { setFlagState } from "./set-flag-state.ts";

const someStores = () => {
  const clock = createFakeClock();
  return { flags: createMemoryFlags(clock), followers: createMemoryFollowers(clock) };
};

describeShareControl("a flag in memory", async () => aFlagBench(someStores()));

async function aTrialThatIsSwitchedOff() {
  const stores = someStores();
  const { control, subject } = await aFlagBench(stores);
  const request = { subject, salt: "s", rollout: "r_1", by: "run:1" };
  await control.set(request, 0.5);
  await setFlagState(stores.flags, { key: "export", state: "off", by: "anna", reason: "it leaks" });
  const flag = async () => stores.flags.read("export");
  return { control, request, flag };
}

it("gives a flag that is off no larger share, and does not complete it", async () => {
  const { control, request, flag } = await aTrialThatIsSwitchedOff();
  const before = await flag();
  await expect(control.set(request, 0.6)).rejects.toThrow("off since anna changed it (it leaks)");
  await expect(control.complete(request)).rejects.toThrow("off since anna");
  expect(await flag()).toEqual(before);
  await control.set(request, 0.5);
  await control.set(request, 0.1);
  expect(await flag()).toMatchObject({ state: "off", rollout: { share: 0.1 } });
});

it("never switches a flag on when it is taken back, neither on trial nor completed", async () => {
  const { control, request, flag } = await aTrialThatIsSwitchedOff();
  await control.rollBack(request);
  expect(await flag()).toMatchObject({ state: "off", defaultVariant: "old", rollout: null });
  const stores = someStores();
  const other = await aFlagBench(stores);
  await other.control.set(request, 0.95);
  await other.control.complete(request);
  await setFlagState(stores.flags, { key: "export", state: "off", by: "anna", reason: "it leaks" });
  await other.control.rollBack(request);
  expect(await stores.flags.read("export")).toMatchObject({ state: "off", defaultVariant: "old", rollout: null });
});

it("resolves only variants that the flag has", async () => {
  const { control } = await aFlagBench(someStores());
  for (const to of ["fourth", "constructor", "__proto__"])
    expect(await control.resolve({ kind: "flag", flag: "export", to })).toBeUndefined();
});
