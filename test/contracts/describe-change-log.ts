import { describe, expect, it } from "@jest/globals";
import type { WorkloadChange } from "../../packages/sdk/src/wire/changes.ts";
import type { ChangeLog } from "../../src/llm/changes/change-log.ts";

/** A release, told by whoever deploys. */
export function aChange(change: Partial<WorkloadChange> = {}): WorkloadChange {
  return { kind: "deploy", ref: "release 1.5.0", at: 1000, dims: { prompt: "implement" }, by: "ci", ...change };
}

/** The specification of every change log. */
export function describeChangeLog(name: string, open: () => Promise<ChangeLog>): void {
  describe(`${name} as a change log`, () => {
    it("keeps changes by the time they were made, whenever they were told, and each once", async () => {
      const log = await open();
      for (const at of [3000, 1000, 2000, 1000]) await log.record(aChange({ at }));
      expect(await log.between(1000, 3000, 10)).toEqual([aChange(), aChange({ at: 2000 }), aChange({ at: 3000 })]);
    });

    it("answers both ends of a window, and the newest where there are more than asked for", async () => {
      const log = await open();
      for (const at of [999, 1000, 2000, 3000, 3001]) await log.record(aChange({ at }));
      expect((await log.between(1000, 3000, 10)).map(({ at }) => at)).toEqual([1000, 2000, 3000]);
      expect((await log.between(1000, 3000, 2)).map(({ at }) => at)).toEqual([2000, 3000]);
      expect(await log.between(3002, 9000, 10)).toEqual([]);
    });

    it("makes room for the newest", async () => {
      const log = await open();
      await Promise.all(Array.from({ length: 5002 }, async (_, at) => log.record(aChange({ at }))));
      const kept = await log.between(0, 10_000, 10_000);
      expect([kept.length, kept[0]?.at, kept.at(-1)?.at]).toEqual([5000, 2, 5001]);
    });
  });
}
