import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { StepFailure } from "../../src/core/failure.ts";
import type { FlagSwitch } from "../../src/llm/flags/flag-switch.ts";

/** A system with three flags whose values are true and false. */
export interface FlagSwitchBench extends AsyncDisposable {
  readonly flags: FlagSwitch;
  /** On, for every targeting key. */
  readonly on: string;
  /** On, for some targeting keys and not for others. */
  readonly partly: string;
  /** Off. */
  readonly off: string;
  /** Resolves when applications have what was set. */
  settle(): Promise<void>;
  /** Texts that occur in no message: tokens. */
  readonly secrets: readonly string[];
  /** Puts the system in the way of being asked, by name. */
  readonly faults: { readonly [name: string]: () => Promise<void> | void };
  /** From now on the system forbids changes; absent where it never does. */
  forbid?(): Promise<void> | void;
}

const unseen = new Set(["not_reachable", "overloaded", "timeout", "unknown_outcome", "refused_by_target"]);
const targetingKeys = Array.from({ length: 16 }, (_, nth) => `ticket-${nth}`);

/** The specification of every flag switch. `faults`: names of those that each bench has. */
export function describeFlagSwitch(name: string, open: () => Promise<FlagSwitchBench>, faults: readonly string[]): void {
  describe(`${name} as a flag switch`, () => {
    let bench: FlagSwitchBench;
    beforeEach(async () => {
      bench = await open();
    });
    afterEach(async () => {
      await bench[Symbol.asyncDispose]();
    });

    const change = (key: string, state: "on" | "off") => bench.flags.setState({ key, state, by: "run:01", reason: "a finding" });
    const valuesOf = async (key: string) => {
      await bench.settle();
      return Promise.all(targetingKeys.map(async (targetingKey) => (await bench.flags.evaluate(key, targetingKey))?.value));
    };
    const failureOf = async (work: Promise<unknown>) => {
      try {
        await work;
      } catch (error) {
        if (!(error instanceof StepFailure)) throw error;
        const text = `${error.message} ${JSON.stringify(error.failure)} ${error.stack ?? ""}`;
        for (const secret of bench.secrets) expect(text).not.toContain(secret);
        return error.failure;
      }
      throw new Error("Nothing was refused.");
    };
    const everyReading = async () => Promise.all([bench.on, bench.partly, bench.off].map(async (key) => bench.flags.read(key)));

    it("reads the state of a flag", async () => {
      const { flags, on, partly, off } = bench;
      expect(await flags.read(on)).toEqual({ key: on, state: "on", version: expect.any(String) });
      expect(await flags.read(partly)).toMatchObject({ state: "on" });
      expect(await flags.read(off)).toMatchObject({ state: "off" });
    });

    it("evaluates as an application does", async () => {
      const { on, partly, off } = bench;
      expect(new Set(await valuesOf(on))).toEqual(new Set([true]));
      expect(new Set(await valuesOf(partly))).toEqual(new Set([true, false]));
      expect(new Set(await valuesOf(off))).toEqual(new Set([false]));
      expect(await bench.flags.evaluate(on, "ticket-1")).toMatchObject({ value: true, reason: expect.stringMatching(/./) });
    });

    it("switches a flag off for every targeting key, and no other flag", async () => {
      const { flags, on, partly, off } = bench;
      const [before, , other] = await everyReading();
      const result = await change(on, "off");
      expect(result).toEqual({ kind: "set", reading: { key: on, state: "off", version: expect.any(String) } });
      expect(await flags.read(on)).toEqual(result.kind === "set" ? result.reading : undefined);
      expect((await flags.read(on))?.version).not.toBe(before?.version);
      expect(await change(partly, "off")).toMatchObject({ kind: "set" });
      expect(new Set(await valuesOf(on))).toEqual(new Set([false]));
      expect(new Set(await valuesOf(partly))).toEqual(new Set([false]));
      expect(await flags.read(off)).toEqual(other);
    });

    it("gives every targeting key what it had when a flag is switched on again", async () => {
      for (const key of [bench.on, bench.partly]) {
        const before = await valuesOf(key);
        await change(key, "off");
        expect(await change(key, "on")).toMatchObject({ kind: "set", reading: { state: "on" } });
        expect(await valuesOf(key)).toEqual(before);
      }
    });

    it("switches on a flag that was off before", async () => {
      expect(await change(bench.off, "on")).toMatchObject({ kind: "set", reading: { state: "on" } });
      expect(new Set(await valuesOf(bench.off))).toEqual(new Set([true]));
    });

    it("changes nothing when the flag has the state already", async () => {
      const { flags, on, off } = bench;
      for (const [key, state] of [
        [on, "on"],
        [off, "off"],
      ] as const) {
        const reading = await flags.read(key);
        expect(await change(key, state)).toEqual({ kind: "set", reading });
        expect(await flags.read(key)).toEqual(reading);
      }
      const first = await change(on, "off");
      expect(await change(on, "off")).toEqual(first);
    });

    it("loses none of several changes that are made at once", async () => {
      const keys = [bench.on, bench.partly];
      const ends = await Promise.all([...keys, ...keys].map(async (key) => change(key, "off")));
      expect(ends.map(({ kind }) => kind)).toEqual(["set", "set", "set", "set"]);
      expect((await everyReading()).map((reading) => reading?.state)).toEqual(["off", "off", "off"]);
    });

    it("does not know a flag that there is not", async () => {
      expect(await bench.flags.read("no-such-flag")).toBeUndefined();
      expect(await change("no-such-flag", "off")).toEqual({ kind: "unknown" });
      expect(await change("no-such-flag", "on")).toEqual({ kind: "unknown" });
      expect(await bench.flags.evaluate("no-such-flag", "ticket-1")).toBeUndefined();
    });

    it("never takes a hostile key for the key of another flag", async () => {
      const { flags, on } = bench;
      const before = await everyReading();
      const hostile = [
        "",
        " ",
        ".",
        "..",
        `../${on}`,
        `x/../${on}`,
        `${on}/`,
        `${on}?x=1`,
        `${on}#x`,
        `%2e%2e`,
        `${on}%00`,
        `${on}\n`,
        ` ${on}`,
        "*",
      ];
      for (const key of [...hostile, on.toUpperCase(), "__proto__", "constructor", "toString", "\ud800", "\0", "x".repeat(5000)]) {
        for (const ask of [async () => flags.read(key), async () => change(key, "off"), async () => flags.evaluate(key, "ticket-1")]) {
          const end = await ask().catch(async (error: unknown) => (await failureOf(Promise.reject(error))).reason);
          const isNothing = end === undefined || typeof end === "string" || ("kind" in end && end.kind === "unknown");
          expect({ key, end, isNothing }).toMatchObject({ isNothing: true });
        }
      }
      expect(await everyReading()).toEqual(before);
      expect(new Set(await valuesOf(on))).toEqual(new Set([true]));
    });

    it("takes every text for a targeting key", async () => {
      for (const key of ["", "&userId=x", "ä€𝄞", "\ud800", "a b", "x".repeat(2000)]) {
        expect(await bench.flags.evaluate(bench.on, key)).toMatchObject({ value: true });
        expect(await bench.flags.evaluate(bench.off, key)).toMatchObject({ value: false });
      }
    });

    it("counts followers, or says that nobody counts them", async () => {
      const counted = await bench.flags.followers(bench.on);
      if (counted === undefined) return;
      expect(counted.current).toBeGreaterThanOrEqual(0);
      expect(counted.followers).toBeGreaterThanOrEqual(counted.current);
    });

    it("says that the system forbids it, and leaves the flag as it is", async () => {
      if (bench.forbid === undefined) return;
      await bench.forbid();
      expect(await change(bench.on, "off")).toEqual({ kind: "refused", reason: expect.stringMatching(/\.$/) });
      expect(await bench.flags.read(bench.on)).toMatchObject({ state: "on" });
      expect(new Set(await valuesOf(bench.on))).toEqual(new Set([true]));
    });

    it.each(faults)("takes no flag for off when the system %s", async (fault) => {
      await bench.faults[fault]?.();
      for (const key of [bench.on, bench.off]) {
        expect(unseen).toContain((await failureOf(bench.flags.read(key))).reason);
        expect(unseen).toContain((await failureOf(change(key, "off"))).reason);
        expect(unseen).toContain((await failureOf(bench.flags.evaluate(key, "ticket-1"))).reason);
      }
    });
  });
}
