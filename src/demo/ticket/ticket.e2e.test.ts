import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

/**
 * The ticket scenario, whole and with real parts: a worker is killed with SIGKILL while it writes code, real git keeps what it left, and the repository's
 * own tests say whether the work is right. It is the demo, so that what users are shown is what is tested. Needs the build.
 */
const root = join(import.meta.dirname, "../../..");

let demo: ChildProcess;
let result: Readonly<Record<string, unknown>> = {};
let exitCode: unknown;
const lines: string[] = [];

beforeAll(async () => {
  demo = spawn(process.execPath, [join(root, "dist/src/demo/main.js"), "--scenario", "ticket", "--once", "--json"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = once(demo, "exit");
  const { stdout, stderr } = demo;
  if (stdout === null || stderr === null) throw new Error("The demo has no output.");
  stderr.resume();
  for await (const line of createInterface({ input: stdout })) lines.push(line);
  [exitCode] = await gone;
  const parsed: unknown = JSON.parse(lines.findLast((line) => line.startsWith("{")) ?? "{}");
  if (typeof parsed === "object" && parsed !== null) result = { ...parsed };
}, 240_000);

afterAll(() => {
  demo.kill("SIGKILL");
});

describe("a ticket whose worker dies in the middle of implement", () => {
  it("is found, kept, given back and brought to its end", () => {
    expect({ exitCode, faults: lines.filter((line) => line.startsWith("✘")), log: exitCode === 0 ? [] : lines.slice(-60) }).toEqual({
      exitCode: 0,
      faults: [],
      log: [],
    });
    expect(result).toMatchObject({ outcome: "succeeded", failureClass: "worker_lost", ticketState: "succeeded", attempts: 2 });
  });

  it("goes on from exactly what lay in the worktree, and does nothing again that was done", () => {
    expect(result).toMatchObject({
      preserved: { ref: "refs/checkpoints/SHOP-17/2", tree: result["leftTree"] },
      stagesDone: { plan: 1, implement: 1, test: 1, review: 1, publish: 1 },
      editsRepeated: 0,
    });
  });

  it("satisfies the repository's own tests, which failed before", () => {
    expect(result).toMatchObject({ testsBefore: { passed: 0 }, testsAfter: { passed: 5, failed: 0 } });
  });
});
