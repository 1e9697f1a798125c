import { expect, it } from "@jest/globals";
import { judgeQueue } from "./judge-queue.ts";

it.each([
  ["every ticket has a job", { open: 5, unqueued: 0, jobs: 5 }, { kind: "complete" }],
  ["what has no job waits to get one", { open: 5, unqueued: 2, jobs: 3 }, { kind: "complete" }],
  ["a cancelled ticket has a job still", { open: 5, unqueued: 0, jobs: 6 }, { kind: "complete" }],
  ["nothing is there", { open: 0, unqueued: 0, jobs: 0 }, { kind: "complete" }],
  ["a job is missing", { open: 5, unqueued: 1, jobs: 3 }, { kind: "lost", missing: 1 }],
  ["all jobs are missing", { open: 5, unqueued: 0, jobs: 0 }, { kind: "lost", missing: 5 }],
] as const)("says whether jobs were lost when %s", (_when, snapshot, verdict) => {
  expect(judgeQueue(snapshot)).toEqual(verdict);
});
