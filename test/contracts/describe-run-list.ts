import { describe, expect, it } from "@jest/globals";
import type { Outcome, RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import type { RunFilter, RunReader } from "../../src/runs/run-reader.ts";

/** One list of runs, empty, and how the suite puts runs into it. */
export interface RunListHarness {
  readonly list: RunReader["list"];
  /** Accepts a run; each one later than those before. */
  start(summary: RunSummary): Promise<void>;
  /** Its worker waits for something. */
  suspend(id: string): Promise<void>;
  end(id: string, outcome: Outcome): Promise<void>;
  /** The time by which runs are filtered. */
  now(): Promise<number>;
}

let counter = 0;

/** A run of which the test cares for what it names. */
export function aListedRun(change: Partial<RunSummary> = {}): RunSummary {
  counter += 1;
  return {
    id: `run_listed${String(counter).padStart(5, "0")}`,
    runbookId: "cost",
    runbookSha: "c".repeat(64),
    mode: "auto",
    state: "queued",
    target: "budget/a",
    alertName: "Burn",
    source: "webhook",
    acceptedAt: 1,
    ...change,
  };
}

/** The specification of every list of runs. */
export function describeRunList(name: string, open: () => Promise<RunListHarness>): void {
  describe(`${name} as a list of runs`, () => {
    const idsOf = async ({ list }: RunListHarness, filter: RunFilter = {}) =>
      (await list(filter, { limit: 50 }))?.items.map(({ id }) => id) ?? [];

    it("filters by runbook, target, alert, state and outcome, and by several of them, newest first", async () => {
      const harness = await open();
      await harness.start(aListedRun({ id: "a" }));
      await harness.start(aListedRun({ id: "b", target: "budget/b" }));
      await harness.start(aListedRun({ id: "c", runbookId: "restart", target: "budget/b", alertName: "Down" }));
      await harness.start(aListedRun({ id: "d", runbookId: "watchdog", target: "none/none", alertName: "RunbookdWatchdog" }));
      await harness.suspend("b");
      await harness.end("a", "succeeded");
      await harness.end("c", "failed");
      expect(await idsOf(harness)).toEqual(["c", "b", "a"]);
      expect(await idsOf(harness, { runbookId: "watchdog" })).toEqual(["d"]);
      expect(await idsOf(harness, { runbookId: "cost" })).toEqual(["b", "a"]);
      expect(await idsOf(harness, { target: "budget/b" })).toEqual(["c", "b"]);
      expect(await idsOf(harness, { target: "budget/b", alertName: "Down" })).toEqual(["c"]);
      expect(await idsOf(harness, { state: "ended" })).toEqual(["c", "a"]);
      expect(await idsOf(harness, { state: "ended", outcome: "failed" })).toEqual(["c"]);
      expect(await idsOf(harness, { outcome: "succeeded", runbookId: "restart" })).toEqual([]);
      expect(await idsOf(harness, { state: "open" })).toEqual(["b"]);
      expect(await idsOf(harness, { state: "suspended" })).toEqual(["b"]);
      expect(await idsOf(harness, { state: "queued" })).toEqual([]);
      expect(await idsOf(harness, { state: "queued", runbookId: "watchdog" })).toEqual(["d"]);
    });

    it("filters by the time of acceptance", async () => {
      const harness = await open();
      await harness.start(aListedRun({ id: "early" }));
      const since = await harness.now();
      await harness.start(aListedRun({ id: "late", target: "budget/b" }));
      expect(await idsOf(harness, { since })).toEqual(["late"]);
      expect(await idsOf(harness, { until: since - 1 })).toEqual(["early"]);
      expect(await idsOf(harness, { since, target: "budget/a" })).toEqual([]);
      expect(await idsOf(harness, { since, target: "budget/b", runbookId: "cost" })).toEqual(["late"]);
    });

    it.each([{}, { runbookId: "cost" }, { runbookId: "cost", alertName: "Burn" }, { state: "open" }, { state: "queued" }] as const)(
      "pages through %j once each, although new runs come in",
      async (filter) => {
        const harness = await open();
        const runs = Array.from({ length: 12 }, (_, index) => aListedRun({ target: `budget/${index}` }));
        for (const run of runs) await harness.start(run);
        const paged: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await harness.list(filter, { limit: 5, ...(cursor !== undefined && { cursor }) });
          if (page === undefined) throw new Error("The cursor was refused.");
          paged.push(...page.items.map(({ id }) => id));
          cursor = page.nextCursor;
          await harness.start(aListedRun({ target: `budget/later-${paged.length}` }));
        } while (cursor !== undefined);
        expect(paged).toEqual(runs.map(({ id }) => id).toReversed());
      },
    );

    it("refuses a cursor that is none of it", async () => {
      expect(await (await open()).list({}, { limit: 5, cursor: "!" })).toBeUndefined();
    });
  });
}
