import { describe, expect, it } from "@jest/globals";
import type { FlagDefinition } from "../../packages/sdk/src/wire/flags.ts";
import { type FlagChange, type FlagStore, maxFlags } from "../../src/llm/flags/flag.ts";

/** A boolean flag that is on for everybody. */
export function aDefinition(change: Partial<FlagDefinition> = {}): FlagDefinition {
  return {
    type: "boolean",
    variants: { on: true, off: false },
    state: "on",
    offVariant: "off",
    defaultVariant: "on",
    rollout: null,
    ...change,
  };
}

/** A tenth of the keys get the variant `on`. */
export function aTrial(change: Partial<FlagDefinition> = {}): FlagDefinition {
  return aDefinition({ defaultVariant: "off", rollout: { variant: "on", share: 0.1, salt: "run_1" }, ...change });
}

/** The specification of every store of flags. */
export function describeFlagStore(name: string, open: () => Promise<FlagStore>): void {
  const aChange = (change: Partial<FlagChange> = {}): FlagChange => ({
    key: "export",
    expected: 0,
    definition: aDefinition(),
    by: "anna",
    reason: "first",
    ...change,
  });
  describe(`${name} as a store of flags`, () => {
    it("keeps flags by key, each with its version and the change that made it", async () => {
      const store = await open();
      expect(await store.read("export")).toBeUndefined();
      const reply = await store.set(aChange({ key: "upload" }));
      expect(reply).toMatchObject({ kind: "set", flag: { key: "upload", version: 1, ...aDefinition(), by: "anna", reason: "first" } });
      await store.set(aChange());
      const definition = aTrial({ feature: "export" });
      const next = await store.set(aChange({ expected: 1, definition, by: "run:1" }));
      expect(next).toMatchObject({ kind: "set", flag: { version: 2, ...definition, by: "run:1" } });
      expect((await store.list()).map(({ key, version }) => [key, version])).toEqual([
        ["export", 2],
        ["upload", 1],
      ]);
      expect(await store.read("export")).toEqual("flag" in next ? next.flag : undefined);
    });

    it("finds the keys that exist, each once", async () => {
      const store = await open();
      await store.set(aChange({ key: "b" }));
      await store.set(aChange({ key: "a" }));
      await store.set(aChange({ key: "c" }));
      expect((await store.find(["c", "nothing", "a", "c"])).map(({ key }) => key)).toEqual(["a", "c"]);
      expect(await store.find([])).toEqual([]);
      expect(await store.find(["nothing"])).toEqual([]);
    });

    it("writes only from the version that was expected", async () => {
      const store = await open();
      await store.set(aChange());
      for (const expected of [0, 2, 7])
        expect(await store.set(aChange({ expected, definition: aTrial() }))).toMatchObject({ kind: "conflict", flag: { version: 1 } });
      expect(await store.set(aChange({ key: "other", expected: 1 }))).toEqual({ kind: "conflict", flag: undefined });
      expect(await store.read("export")).toMatchObject({ version: 1, rollout: null });
    });

    it("answers that the same definition is set already, and leaves whose it is", async () => {
      const store = await open();
      await store.set(aChange());
      expect(await store.set(aChange({ by: "run:2" }))).toMatchObject({ kind: "set", flag: { version: 1, by: "anna" } });
    });

    it("lets one of many at once win", async () => {
      const store = await open();
      const replies = await Promise.all(
        Array.from({ length: 8 }, async (_, nth) =>
          store.set(aChange({ definition: aTrial({ rollout: { variant: "on", share: nth / 8, salt: "s" } }) })),
        ),
      );
      expect(replies.filter(({ kind }) => kind === "set")).toHaveLength(1);
    });

    it("keeps values of every type as they are", async () => {
      const store = await open();
      const variants = { a: { text: 'ä"\n', list: [1, null, { deep: true }] }, b: {} };
      const definition = aDefinition({ type: "object", variants, offVariant: "b", defaultVariant: "a" });
      await store.set(aChange({ definition }));
      expect(await store.read("export")).toMatchObject({ variants });
    });

    it("keeps a bounded number, whose flags can still be changed", async () => {
      const store = await open();
      for (let nth = 0; nth < maxFlags; nth += 1) await store.set(aChange({ key: `flag-${nth}` }));
      expect(await store.set(aChange({ key: "one-more" }))).toEqual({ kind: "full" });
      expect(await store.set(aChange({ key: "flag-1", expected: 1, definition: aDefinition({ state: "off" }) }))).toMatchObject({
        kind: "set",
      });
      expect(await store.list()).toHaveLength(maxFlags);
    });
  });
}
