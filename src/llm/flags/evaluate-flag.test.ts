import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { bucketOf } from "../../../packages/sdk/src/assignment.ts";
import { type Flag, type FlagDefinition, flagDefinitionSchema } from "../../../packages/sdk/src/wire/flags.ts";
import { aDefinition, aTrial } from "../../../test/contracts/describe-flag-store.ts";
import { evaluateFlag } from "./evaluate-flag.ts";
import { faultsOfFlag } from "./flag.ts";

const aFlag = (definition: FlagDefinition): Flag => ({ ...definition, key: "export", version: 7, at: 1, by: "anna", reason: "x" });

const names = fc.stringMatching(/^[\w.-]{1,12}$/);
const shares = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const ticketIds = fc.string({ minLength: 1, maxLength: 40 });

/** Flags that runbookd accepts, of every type, on and off, with and without a share. */
const acceptedFlags = fc
  .record({
    type: fc.constantFrom("boolean", "string", "number", "object"),
    names: fc.uniqueArray(names, { minLength: 1, maxLength: 5 }),
    values: fc.array(
      fc.record({
        boolean: fc.boolean(),
        string: fc.string(),
        number: fc.double({ noNaN: true }),
        object: fc.dictionary(names, fc.integer()),
      }),
      {
        minLength: 5,
        maxLength: 5,
      },
    ),
    state: fc.constantFrom("on", "off"),
    picks: fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4)),
    share: fc.option(shares),
    salt: fc.string({ minLength: 1, maxLength: 20 }),
    rollout: fc.option(fc.constant("r_1")),
  })
  .map(({ type, names: all, values, state, picks, share, salt, rollout }) => {
    const pick = (nth: number) => all[nth % all.length] ?? "";
    const variant = pick(picks[2]);
    return flagDefinitionSchema.safeParse({
      type,
      variants: Object.fromEntries(all.map((name, nth) => [name, values[nth]?.[type]])),
      state,
      offVariant: pick(picks[0]),
      defaultVariant: pick(picks[1]),
      rollout: share === null ? null : { variant, share, salt, ...(rollout !== null && { rollout }) },
    });
  })
  .filter((parsed) => parsed.success && faultsOfFlag(parsed.data).length === 0)
  .map((parsed) => aFlag(flagDefinitionSchema.parse(parsed.data)));

describe("the value of a flag", () => {
  it("exists for every accepted flag and every targeting key, and is one of its variants", () => {
    fc.assert(
      fc.property(acceptedFlags, ticketIds, (flag, targetingKey) => {
        const outcome = evaluateFlag(flag, targetingKey);
        if (outcome.kind !== "evaluated") throw new Error("There is no value.");
        const { value, variant } = outcome.answer;
        expect(Object.hasOwn(flag.variants, variant)).toBe(true);
        expect(value).toEqual(flag.variants[variant]);
      }),
    );
  });

  it("is the one of the off variant for every key while the flag is off, with or without a key", () => {
    fc.assert(
      fc.property(acceptedFlags, fc.option(ticketIds, { nil: undefined }), (flag, targetingKey) => {
        const off = { ...flag, state: "off" } as const;
        const value = flag.variants[flag.offVariant];
        const answer = { key: "export", value, variant: flag.offVariant, reason: "DISABLED", metadata: { version: 7 } };
        expect(evaluateFlag(off, targetingKey)).toEqual({ kind: "evaluated", answer });
      }),
    );
  });

  it("is taken from no key while a share grows", () => {
    fc.assert(
      fc.property(fc.array(shares, { minLength: 2, maxLength: 6 }), fc.array(ticketIds, { maxLength: 30 }), (amounts, keys) => {
        const growing = amounts.toSorted((a, b) => a - b);
        const gets = (share: number, key: string) => {
          const outcome = evaluateFlag(aFlag(aTrial({ rollout: { variant: "on", share, salt: "s" } })), key);
          return outcome.kind === "evaluated" && outcome.answer.value === true;
        };
        for (const key of keys) {
          const had = growing.map((share) => gets(share, key));
          expect(had).toEqual(had.toSorted((a, b) => Number(a) - Number(b)));
        }
      }),
    );
  });

  it("does not change for any key when variants are renamed", () => {
    fc.assert(
      fc.property(acceptedFlags, ticketIds, (flag, key) => {
        const renamed = (name: string) => `new-${name}`;
        const { rollout } = flag;
        const other = {
          ...flag,
          variants: Object.fromEntries(Object.entries(flag.variants).map(([name, value]) => [renamed(name), value])),
          offVariant: renamed(flag.offVariant),
          defaultVariant: renamed(flag.defaultVariant),
          rollout: rollout && { ...rollout, variant: renamed(rollout.variant) },
        };
        const [before, after] = [evaluateFlag(flag, key), evaluateFlag(other, key)];
        expect("answer" in after && after.answer.value).toEqual("answer" in before && before.answer.value);
      }),
    );
  });

  it("needs a key exactly when the share is between 0 and 1", () => {
    for (const [share, kind] of [
      [0, "evaluated"],
      [0.5, "failed"],
      [1, "evaluated"],
    ] as const)
      expect(evaluateFlag(aFlag(aTrial({ rollout: { variant: "on", share, salt: "s" } })), undefined).kind).toBe(kind);
    expect(evaluateFlag(aFlag(aDefinition()), undefined).kind).toBe("evaluated");
  });

  it("follows the hash that routes and prompts follow", () => {
    const flag = aFlag(aTrial({ rollout: { variant: "on", share: 0.3, salt: "run_1" } }));
    for (let nth = 0; nth < 200; nth += 1) {
      const outcome = evaluateFlag(flag, `T-${nth}`);
      expect("answer" in outcome && outcome.answer.value).toBe(bucketOf("run_1", `T-${nth}`) < 0.3);
    }
  });

  it("does not exist for a damaged flag that is on, and is false for one that is off", () => {
    const damaged = aFlag(aDefinition({ variants: {} }));
    expect(evaluateFlag(damaged, "T-1")).toMatchObject({ kind: "failed", failure: { errorCode: "GENERAL" } });
    expect(evaluateFlag({ ...damaged, state: "off" }, "T-1")).toMatchObject({ kind: "evaluated", answer: { value: false } });
  });
});
