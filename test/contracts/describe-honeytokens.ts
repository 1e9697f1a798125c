import { describe, expect, it } from "@jest/globals";
import type { HoneytokenStore } from "../../src/llm/prompts/honeytoken.ts";

/** The specification of every store of honeytokens. `open` makes a fresh one. */
export function describeHoneytokens(name: string, open: () => Promise<HoneytokenStore>): void {
  describe(`${name} as a store of honeytokens`, () => {
    it("makes one a prompt, of 128 bits, and keeps it", async () => {
      const store = await open();
      expect(await store.read("export")).toBeUndefined();
      const token = await store.ensure("export");
      expect(token).toMatch(/^[0-9a-f]{32}$/);
      expect(await store.ensure("export")).toBe(token);
      expect(await store.read("export")).toBe(token);
      expect(await store.ensure("review")).not.toBe(token);
    });

    it("makes one when several ask at once", async () => {
      const store = await open();
      const tokens = await Promise.all(Array.from({ length: 20 }, () => store.ensure("export")));
      expect(new Set(tokens).size).toBe(1);
    });

    it("knows each by its prompt", async () => {
      const store = await open();
      expect((await store.all()).size).toBe(0);
      const tokens = new Map([
        [await store.ensure("export"), "export"],
        [await store.ensure("constructor"), "constructor"],
      ]);
      expect(await store.all()).toEqual(tokens);
    });
  });
}
