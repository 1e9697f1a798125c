import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { endedWell, type WatchedDemo, watchDemo } from "../../test/servers/watch-demo.ts";

/**
 * The ticket scenario, whole and with real parts: a worker is killed with SIGKILL while it writes code, real git keeps what it left, and the repository's
 * own tests say whether the work is right. It is the demo, so that what users are shown is what is tested. Needs the build.
 */
let demo: WatchedDemo;
const over = new AbortController();

beforeAll(async () => {
  demo = await watchDemo(["--scenario", "ticket", "--once"], { signal: over.signal });
}, 240_000);

afterAll(() => over.abort());

describe("a ticket whose worker dies in the middle of implement", () => {
  it("is found, kept, given back and brought to its end", () => {
    expect(demo.ending).toEqual(endedWell);
    expect(demo.result).toMatchObject({ outcome: "succeeded", failureClass: "worker_lost", ticketState: "succeeded", attempts: 2 });
  });

  it("goes on from exactly what lay in the worktree, and does nothing again that was done", () => {
    expect(demo.result).toMatchObject({
      preserved: { ref: "refs/checkpoints/SHOP-17/2", tree: demo.result["leftTree"] },
      stagesDone: { plan: 1, implement: 1, test: 1, review: 1, publish: 1 },
      editsRepeated: 0,
    });
  });

  it("satisfies the repository's own tests, which failed before", () => {
    expect(demo.result).toMatchObject({ testsBefore: { passed: 0 }, testsAfter: { passed: 5, failed: 0 } });
  });
});
