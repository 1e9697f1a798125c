import { expect, it } from "@jest/globals";
import type { FlagDefinition } from "../../../packages/sdk/src/wire/flags.ts";
import { aDefinition, aTrial } from "../../../test/contracts/describe-flag-store.ts";
import { differencesOf } from "./flag-difference.ts";

const share = (amount: number, more: object = {}) => aTrial({ rollout: { variant: "on", share: amount, salt: "s", ...more } });
/** A share gets the off variant: it lowers while it grows. */
const without = (amount: number) => aDefinition({ rollout: { variant: "off", share: amount, salt: "s" } });

it.each<[string, FlagDefinition | undefined, FlagDefinition, readonly string[]]>([
  ["a new flag", undefined, aDefinition({ state: "off" }), ["raises new flag of type boolean, off"]],
  ["nothing", share(0.1), share(0.1), []],
  ["switching off", aDefinition(), aDefinition({ state: "off" }), ["lowers state on -> off"]],
  ["switching on", aDefinition({ state: "off" }), aDefinition(), ["raises state off -> on"]],
  ["a larger share", share(0.1), share(0.5), ["raises share on 10 % -> on 50 %"]],
  ["a smaller share", share(0.5), share(0.1), ["lowers share on 50 % -> on 10 %"]],
  ["a share taken back", share(0.5), aTrial({ rollout: null }), ["lowers share on 50 % -> none"]],
  ["a first share", aTrial({ rollout: null }), share(0.1), ["raises share none -> on 10 %"]],
  ["other keys", share(0.5), share(0.1, { salt: "t" }), ["raises share on 50 % -> on 10 %"]],
  ["the share of another rollout", share(0.5), share(0.1, { rollout: "r_2" }), ["raises share on 50 % -> on 10 % of rollout r_2"]],
  ["a larger share of the off variant", without(0.1), without(0.5), ["lowers share off 10 % -> off 50 %"]],
  ["a smaller share of the off variant", without(0.5), without(0.1), ["raises share off 50 % -> off 10 %"]],
  ["the off variant as the default", aDefinition(), aDefinition({ defaultVariant: "off" }), ["lowers default variant on -> off"]],
  ["another default", aDefinition({ defaultVariant: "off" }), aDefinition(), ["raises default variant off -> on"]],
  [
    "another value",
    aDefinition({ type: "string", variants: { on: "a", off: "b", gone: "c" } }),
    aDefinition({ type: "string", variants: { on: "x", off: "b", more: "d" } }),
    ["raises variants: added more; removed gone; changed on"],
  ],
  ["another off variant", aDefinition(), aDefinition({ offVariant: "on" }), ["raises off variant off -> on"]],
  ["another feature", aDefinition({ feature: "export" }), aDefinition(), ["raises feature export -> none"]],
  [
    "lowering and raising at once",
    share(0.5),
    { ...share(0.1), state: "off", feature: "x" },
    ["lowers state on -> off", "lowers share on 50 % -> on 10 %", "raises feature none -> x"],
  ],
])("says of %s what it does", (_name, before, after, expected) => {
  expect(differencesOf(before, after).map(({ effect, what }) => `${effect} ${what}`)).toEqual(expected);
});
