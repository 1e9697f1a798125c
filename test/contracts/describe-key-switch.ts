import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { StepFailure } from "../../src/core/failure.ts";
import type { KeySwitch } from "../../src/llm/features/key-switch.ts";

/** A system with two active keys. */
export interface KeySwitchBench extends AsyncDisposable {
  readonly keys: KeySwitch;
  readonly active: string;
  readonly other: string;
  /** An id as the system gives it, of no key. */
  readonly unknown: string;
  /** Texts that occur in no message: keys of the product and of applications. */
  readonly secrets: readonly string[];
  /** Puts the system in the way of being asked, by name. */
  readonly faults: { readonly [name: string]: () => Promise<void> | void };
  /** From now on the system forbids changes; absent where it never does. */
  forbid?(): void;
}

/** What a StepFailure says when a system could not be asked. */
const unseen = new Set(["not_reachable", "overloaded", "timeout", "unknown_outcome", "refused_by_target"]);

/** The specification of every key switch. `faults`: names of those that each bench has. */
export function describeKeySwitch(name: string, open: () => Promise<KeySwitchBench>, faults: readonly string[]): void {
  describe(`${name} as a key switch`, () => {
    let bench: KeySwitchBench;
    beforeEach(async () => {
      bench = await open();
    });
    afterEach(async () => {
      await bench[Symbol.asyncDispose]();
    });

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

    it("disables one key, and says so afterwards", async () => {
      const { keys, active, other } = bench;
      expect(await keys.read(active)).toEqual({ id: active, state: "active" });
      expect(await keys.isRefused(active)).not.toBe(true);
      expect(await keys.disable(active)).toBe(true);
      expect(await keys.read(active)).toEqual({ id: active, state: "disabled" });
      expect(await keys.isRefused(active)).not.toBe(false);
      expect(await keys.read(other)).toEqual({ id: other, state: "active" });
    });

    it("disables again what is disabled", async () => {
      const { keys, active } = bench;
      expect(await keys.disable(active)).toBe(true);
      expect(await keys.disable(active)).toBe(true);
      expect(await Promise.all([1, 2, 3].map(async () => keys.disable(active)))).toEqual([true, true, true]);
      expect(await keys.read(active)).toEqual({ id: active, state: "disabled" });
    });

    it("does not know a key that there is not", async () => {
      const { keys, unknown } = bench;
      expect(await keys.read(unknown)).toBeUndefined();
      expect(await keys.disable(unknown)).toBe(false);
      expect(await keys.isRefused(unknown)).toBeUndefined();
    });

    it("never takes what cannot be an id for the id of another key, and repeats no key's text", async () => {
      const { keys, active, other, secrets } = bench;
      const hostile = [
        "",
        " ",
        ".",
        "..",
        `../${active}`,
        `${active}/`,
        `${active}?`,
        `${active}#`,
        `${active}\n`,
        ` ${active}`,
        "%2e%2e",
        "*",
        "null",
      ];
      for (const id of [...hostile, "__proto__", "constructor", "\ud800", "\0", "x".repeat(5000), ...secrets]) {
        for (const ask of [async () => keys.read(id), async () => keys.disable(id), async () => keys.isRefused(id)]) {
          const end = await ask().catch(async (error: unknown) => (await failureOf(Promise.reject(error))).reason);
          expect([undefined, false, "invalid_parameters"]).toContain(end);
        }
      }
      expect(await keys.read(active)).toEqual({ id: active, state: "active" });
      expect(await keys.read(other)).toEqual({ id: other, state: "active" });
    });

    it("says that the system forbids it", async () => {
      if (bench.forbid === undefined) return;
      bench.forbid();
      expect(await failureOf(bench.keys.disable(bench.active))).toMatchObject({ reason: "refused_by_target", applied: "no" });
      expect(await bench.keys.read(bench.active)).toEqual({ id: bench.active, state: "active" });
    });

    it.each(faults)("neither reads nor disables when the system %s", async (fault) => {
      await bench.faults[fault]?.();
      expect(unseen).toContain((await failureOf(bench.keys.read(bench.active))).reason);
      expect(unseen).toContain((await failureOf(bench.keys.disable(bench.active))).reason);
    });
  });
}
