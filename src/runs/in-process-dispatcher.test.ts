import { expect, it } from "@jest/globals";
import { createConcurrencyLimiter } from "./concurrency-limiter.ts";
import type { Execution } from "./engine/execute-run.ts";
import { createInProcessDispatcher } from "./in-process-dispatcher.ts";

function aBell(capacity: number) {
  const executed: string[] = [];
  const failed: string[] = [];
  const rung: string[] = [];
  const gates: (() => void)[] = [];
  const drain = new AbortController();
  const bell = createInProcessDispatcher(
    {
      async execute(runId): Promise<Execution> {
        executed.push(runId);
        await new Promise<void>((resolve) => gates.push(resolve));
        if (runId === "broken") throw new Error("broken");
        return "ended";
      },
    },
    {
      far: { ring: (runId) => void rung.push(runId) },
      hand: createConcurrencyLimiter(capacity),
      drain: drain.signal,
      log: { executed: () => undefined, failed: (runId) => void failed.push(runId), queueError: () => undefined },
    },
  );
  const release = async () => {
    for (const gate of gates.splice(0)) gate();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { bell, executed, failed, rung, drain, release };
}

it("answers while there is room and passes the rest on to the queue", async () => {
  const { bell, executed, rung, release } = aBell(2);
  for (const run of ["a", "b", "c"]) bell.ring(run);
  expect(executed).toEqual(["a", "b"]);
  expect(rung).toEqual(["c"]);
  await release();
  bell.ring("d");
  expect(executed).toEqual(["a", "b", "d"]);
  await release();
});

it("gives its room back after a defect and tells of it", async () => {
  const { bell, executed, failed, release } = aBell(1);
  bell.ring("broken");
  await release();
  expect(failed).toEqual(["broken"]);
  bell.ring("next");
  expect(executed).toEqual(["broken", "next"]);
  await release();
});

it("takes nothing while the process ends", () => {
  const { bell, executed, rung, drain } = aBell(2);
  drain.abort();
  bell.ring("a");
  expect(executed).toEqual([]);
  expect(rung).toEqual(["a"]);
});
