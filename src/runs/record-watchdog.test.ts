import { expect, it } from "@jest/globals";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { watchdogRunbook } from "../core/run.ts";
import { recordWatchdog } from "./record-watchdog.ts";

const ended = { kind: "run_ended", runId: "run_1", ms: 1 } as const;

it("records the time of a watchdog run that succeeded, and nothing of other events", () => {
  const passed: number[] = [];
  const record = recordWatchdog({
    record: { passed: async (at) => void passed.push(at) },
    clock: createFakeClock(7),
    lost: () => undefined,
  });
  record({ kind: "run_claimed", runId: "run_1", runbookId: watchdogRunbook, stalls: 0 });
  record({ kind: "write_fenced", runId: "run_1" });
  record({ ...ended, runbookId: watchdogRunbook, outcome: "failed" });
  record({ ...ended, runbookId: "cost", outcome: "succeeded" });
  expect(passed).toEqual([]);
  record({ ...ended, runbookId: watchdogRunbook, outcome: "succeeded" });
  expect(passed).toEqual([7]);
});

it("says when the time could not be written", async () => {
  const lost: unknown[] = [];
  const error = new Error("Redis is away.");
  const record = recordWatchdog({
    record: { passed: async () => Promise.reject(error) },
    clock: createFakeClock(),
    lost: (reason) => lost.push(reason),
  });
  record({ ...ended, runbookId: watchdogRunbook, outcome: "succeeded" });
  await new Promise((resolve) => setImmediate(resolve));
  expect(lost).toEqual([error]);
});
