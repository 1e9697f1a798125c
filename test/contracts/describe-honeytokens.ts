import { describe, expect, it } from "@jest/globals";
import { type HoneytokenStore, maxHoneytokens } from "../../src/llm/prompts/honeytoken.ts";

/** The specification of every store of honeytokens. `open` makes a fresh one. */
export function describeHoneytokens(name: string, open: () => Promise<HoneytokenStore>): void {
  describe(`${name} as a store of honeytokens`, () => {
    it("makes one a prompt, of 128 bits, and keeps it", async () => {
      const store = await open();
      expect(await store.read("export")).toBeUndefined();
      const token = await store.create("export");
      expect(token).toMatch(/^[0-9a-f]{32}$/);
      expect(await store.create("export")).toBeUndefined();
      expect(await store.read("export")).toBe(token);
      expect(await store.create("review")).not.toBe(token);
    });

    it("makes one when several ask at once", async () => {
      const store = await open();
      const made = await Promise.all(Array.from({ length: 20 }, () => store.create("export")));
      expect(made.filter((token) => token !== undefined)).toEqual([await store.read("export")]);
    });

    it("gives a new one in place of the present one, and recognizes those before it", async () => {
      const store = await open();
      const first = await store.rotate("export");
      const second = await store.rotate("export");
      expect(second).toMatch(/^[0-9a-f]{32}$/);
      expect(second).not.toBe(first);
      expect(await store.read("export")).toBe(second);
      expect(await store.all()).toEqual(new Map([first, second].map((token) => [token, "export"])));
      expect(await store.create("export")).toBeUndefined();
    });

    it("recognizes a bounded number of each prompt, the newest", async () => {
      const store = await open();
      const other = await store.rotate("review");
      const tokens: string[] = [];
      for (let nth = 0; nth < maxHoneytokens + 3; nth += 1) tokens.push(await store.rotate("export"));
      const newest = tokens.slice(3).map((token) => [token, "export"] as const);
      expect(await store.all()).toEqual(new Map([...newest, [other, "review"]]));
    });

    it("knows each by its prompt", async () => {
      const store = await open();
      expect((await store.all()).size).toBe(0);
      const tokens = new Map([
        [await store.rotate("export"), "export"],
        [await store.rotate("constructor"), "constructor"],
      ]);
      expect(await store.all()).toEqual(tokens);
    });
  });
}
