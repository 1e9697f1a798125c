import { describe, expect, it } from "@jest/globals";
import { type NewPromptVersion, newPromptVersionSchema } from "../../packages/sdk/src/wire/prompts.ts";
import type { PromptStore } from "../../src/llm/prompts/prompt.ts";

/** A version whose one layer says `text`. */
export function aNewVersion(text: string, change: Partial<NewPromptVersion> = {}): NewPromptVersion {
  const layers = [
    { key: "rules", role: "system", stability: "static", render: text },
    { key: "ticket", role: "user", stability: "ticket", render: "Ticket: {{ticket}}" },
  ];
  return { ...newPromptVersionSchema.parse({ layout: { layers, breakpoints: [{ afterLayer: "rules", ttl: "1h" }] } }), ...change };
}

/** The specification of every store of prompts. `open` makes a fresh one. `removes`: a label can be made to point nowhere. */
export function describePromptStore(
  name: string,
  open: () => Promise<PromptStore>,
  { removes = true }: { readonly removes?: boolean } = {},
): void {
  describe(`${name} as a store of prompts`, () => {
    it("numbers versions from 1 and gives each back as it was handed in", async () => {
      const store = await open();
      const first = await store.create("implement", aNewVersion("one", { note: "first" }), "ada");
      const second = await store.create("implement", aNewVersion("two", { origin: "optimizer", parent: 1, evidence: { hit: 0.9 } }), "run");
      expect([first.version, second.version]).toEqual([1, 2]);
      expect(await store.version("implement", 1)).toEqual(first);
      expect(await store.version("implement", 2)).toMatchObject({
        prompt: "implement",
        origin: "optimizer",
        parent: 1,
        evidence: { hit: 0.9 },
        createdBy: "run",
        layout: aNewVersion("two").layout,
      });
      expect(first).toMatchObject({ note: "first", origin: "human", createdBy: "ada" });
      expect(await store.version("implement", 3)).toBeUndefined();
      expect(await store.version("other", 1)).toBeUndefined();
    });

    it("answers the version that has the same layout already, whoever asks again", async () => {
      const store = await open();
      const first = await store.create("implement", aNewVersion("one"), "ada");
      await store.create("implement", aNewVersion("two"), "ada");
      expect(await store.create("implement", aNewVersion("one", { note: "again" }), "bob")).toEqual(first);
      expect(await store.read("implement")).toEqual({ name: "implement", latest: 2, labels: {} });
    });

    it("gives versions that are made at once different numbers", async () => {
      const store = await open();
      const made = await Promise.all(["a", "b", "c", "d"].map((text) => store.create("implement", aNewVersion(text), "ada")));
      expect(made.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
      expect((await store.versions("implement", 3)).map(({ version }) => version)).toEqual([4, 3, 2]);
    });

    it("moves a label only from where it was seen, and says what an undo needs", async () => {
      const store = await open();
      await store.create("implement", aNewVersion("one"), "ada");
      await store.create("implement", aNewVersion("two"), "ada");
      const move = { prompt: "implement", label: "production", by: "ada" };
      expect(await store.moveLabel({ ...move, expected: null, to: 1 })).toEqual({ kind: "moved", before: null, after: 1 });
      expect(await store.moveLabel({ ...move, expected: null, to: 2 })).toEqual({ kind: "conflict", present: 1 });
      expect(await store.moveLabel({ ...move, expected: 1, to: 2 })).toEqual({ kind: "moved", before: 1, after: 2 });
      expect((await store.read("implement"))?.labels).toEqual({ production: 2 });
      expect(await store.moveLabel({ ...move, expected: 2, to: 1 })).toEqual({ kind: "moved", before: 2, after: 1 });
      expect((await store.read("implement"))?.labels).toEqual({ production: 1 });
    });

    it("keeps labels apart: a version may have several, and each points at one version", async () => {
      const store = await open();
      await store.create("implement", aNewVersion("one"), "ada");
      await store.create("implement", aNewVersion("two"), "ada");
      for (const label of ["production", "canary"]) await store.moveLabel({ prompt: "implement", label, expected: null, to: 2, by: "ada" });
      await store.moveLabel({ prompt: "implement", label: "production", expected: 2, to: 1, by: "ada" });
      expect((await store.read("implement"))?.labels).toEqual({ production: 1, canary: 2 });
    });

    it("refuses a label on what does not exist", async () => {
      const store = await open();
      await store.create("implement", aNewVersion("one"), "ada");
      const move = { label: "production", expected: null, by: "ada" };
      expect(await store.moveLabel({ ...move, prompt: "implement", to: 9 })).toEqual({ kind: "not_found" });
      expect(await store.moveLabel({ ...move, prompt: "other", to: 1 })).toEqual({ kind: "not_found" });
    });

    it("makes a label point nowhere, or says that it cannot and leaves it", async () => {
      const store = await open();
      await store.create("implement", aNewVersion("one"), "ada");
      await store.moveLabel({ prompt: "implement", label: "canary", expected: null, to: 1, by: "ada" });
      const reply = await store.moveLabel({ prompt: "implement", label: "canary", expected: 1, to: null, by: "ada" });
      expect(reply).toMatchObject(removes ? { kind: "moved", before: 1, after: null } : { kind: "unsupported" });
      expect((await store.read("implement"))?.labels).toEqual(removes ? {} : { canary: 1 });
    });

    it("lists prompts by name, page by page", async () => {
      const store = await open();
      for (const prompt of ["review", "implement", "triage"]) await store.create(prompt, aNewVersion("one"), "ada");
      const first = await store.list({ limit: 2 });
      expect(first.map((state) => state.name)).toEqual(["implement", "review"]);
      expect((await store.list({ after: "review", limit: 2 })).map((state) => state.name)).toEqual(["triage"]);
      expect(await store.read("nothing")).toBeUndefined();
      expect(await store.versions("nothing", 5)).toEqual([]);
    });
  });
}
