import { expect, it } from "@jest/globals";
import { createRecordedLog } from "../../test/fakes/recorded-log.ts";
import { createConcurrencyLimiter } from "./concurrency-limiter.ts";
import type { Execution } from "./engine/execute-run.ts";
import { createInProcessDispatcher } from "./in-process-dispatcher.ts";
import { createRunInProcess } from "./run-in-process.ts";

function aBell(capacity: number) {
  const executed: string[] = [];
  const rung: string[] = [];
  const gates: (() => void)[] = [];
  const drain = new AbortController();
  const limiter = createConcurrencyLimiter(capacity);
  const log = createRecordedLog();
  const run = createRunInProcess(
    {
      async execute(runId): Promise<Execution> {
        executed.push(runId);
        await new Promise<void>((resolve) => gates.push(resolve));
        if (runId === "broken") throw new Error("broken");
        return "ended";
      },
    },
    { limiter, drain: drain.signal, log },
  );
  const bell = createInProcessDispatcher(run, { queue: { enqueue: (runId) => void rung.push(runId) }, limiter, drain: drain.signal });
  const release = async () => {
    for (const gate of gates.splice(0)) gate();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const failed = () => log.lines.filter(({ level }) => level === "error").map(({ fields }) => fields["run"]);
  return { bell, executed, failed, rung, drain, release };
}

it("executes while there is room, and then as soon as there is room, in the order in which runs came", async () => {
  const { bell, executed, rung, release } = aBell(2);
  for (const run of ["a", "b", "c", "d", "e"]) bell.enqueue(run);
  expect(executed).toEqual(["a", "b"]);
  await release();
  expect(executed).toEqual(["a", "b", "c", "d"]);
  bell.enqueue("f");
  await release();
  expect(executed).toEqual(["a", "b", "c", "d", "e", "f"]);
  expect(rung).toEqual([]);
  await release();
});

it("lets a bounded number wait and passes the others on to the queue", async () => {
  const { bell, executed, rung, release } = aBell(1);
  for (let index = 0; index <= 10_002; index += 1) bell.enqueue(`run_${index}`);
  expect(executed).toEqual(["run_0"]);
  expect(rung).toEqual(["run_10001", "run_10002"]);
  await release();
});

it("begins nothing of what waits once the process ends", async () => {
  const { bell, executed, drain, release } = aBell(1);
  for (const run of ["a", "b"]) bell.enqueue(run);
  drain.abort();
  await release();
  expect(executed).toEqual(["a"]);
});

it("gives its room back after a defect and tells of it", async () => {
  const { bell, executed, failed, release } = aBell(1);
  bell.enqueue("broken");
  await release();
  expect(failed()).toEqual(["broken"]);
  bell.enqueue("next");
  expect(executed).toEqual(["broken", "next"]);
  await release();
});

it("takes nothing while the process ends", () => {
  const { bell, executed, rung, drain } = aBell(2);
  drain.abort();
  bell.enqueue("a");
  expect(executed).toEqual([]);
  expect(rung).toEqual(["a"]);
});
