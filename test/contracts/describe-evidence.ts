import { describe, expect, it } from "@jest/globals";
import type { Evidence } from "../../packages/sdk/src/wire/evidence.ts";
import { buildEvidence } from "../../src/llm/features/build-evidence.ts";
import type { EvidenceStore } from "../../src/llm/features/evidence.ts";

/** Evidence of one finding. */
export function anEvidence(id: string, at = 1000, text = "a finding"): Evidence {
  const items = [{ kind: "finding" as const, id: "finding-1", text }];
  return buildEvidence({ id, feature: "export", runId: "run_1", at }, { items, missing: [] });
}

/** The specification of every store of evidence. */
export function describeEvidence(name: string, open: () => Promise<EvidenceStore>): void {
  describe(`${name} as a store of evidence`, () => {
    it("keeps the first evidence of an id, whole", async () => {
      const store = await open();
      expect(await store.read("evidence-1")).toBeUndefined();
      expect(await store.put(anEvidence("evidence-1"))).toEqual(anEvidence("evidence-1"));
      expect(await store.put(anEvidence("evidence-1", 2000, "another finding"))).toEqual(anEvidence("evidence-1"));
      expect(await store.read("evidence-1")).toEqual(anEvidence("evidence-1"));
    });

    it("knows what is sealed", async () => {
      const store = await open();
      await store.put(anEvidence("evidence-1"));
      expect(await store.isSealed("evidence-1")).toBe(false);
      await store.seal("evidence-1");
      await store.seal("evidence-1");
      expect(await store.isSealed("evidence-1")).toBe(true);
      expect(await store.isSealed("evidence-2")).toBe(false);
    });

    it("lists ids, the newest first", async () => {
      const store = await open();
      for (const [nth, id] of ["evidence-a", "evidence-c", "evidence-b"].entries()) await store.put(anEvidence(id, 1000 + nth));
      expect(await store.list(10)).toEqual(["evidence-b", "evidence-c", "evidence-a"]);
      expect(await store.list(1)).toEqual(["evidence-b"]);
    });
  });
}
