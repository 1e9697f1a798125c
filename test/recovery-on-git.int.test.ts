import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, jest } from "@jest/globals";
import type { Json } from "../packages/sdk/src/wire/json.ts";
import { newTicketSchema } from "../packages/sdk/src/wire/tickets.ts";
import { createActions } from "../src/app/action-registry.ts";
import { createStagedProcessor } from "../src/llm/tickets/create-staged-processor.ts";
import type { PhaseTask } from "../src/llm/tickets/implementer.ts";
import { parseStagedWork, storedWork } from "../src/llm/tickets/staged-work.ts";
import { createActionBench, outputOf } from "./builders/action-bench.ts";
import { aBudgetState } from "./fakes/fake-budget-control.ts";
import { aGitRepository, git, plainly } from "./servers/git-repository.ts";

// Each test starts hundreds of processes of git.
jest.setTimeout(120_000);

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-recovery-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A ticket of a real repository, its processor, and the actions of its recovery. */
async function open() {
  const { origin, folder, worktrees, checkpoints } = aGitRepository(root, { "a.txt": "base" });
  const bench = createActionBench(aBudgetState("checkout"));
  const { tickets, clock } = bench;
  const actions = createActions({ ...bench.ports, tickets: { ...bench.ports.tickets, checkpoints } });
  await tickets.add(newTicketSchema.parse({ id: "GH-1", budget: "checkout", queue: "fast" }));
  const asked: PhaseTask[] = [];
  const processor = createStagedProcessor({
    checkpoints,
    phaseEstimateMicroUsd: 1,
    async implementer(task) {
      asked.push(task);
      await task.heartbeat();
      writeFileSync(join(task.folder, `${task.phase}.txt`), `${task.phase} by try ${task.attempt}`);
      return { kind: "done", conversation: `${task.conversation}${task.phase};` };
    },
  });
  const at = join(worktrees, "GH-1");
  const turn = async (holder: string) => {
    await tickets.claim("GH-1", holder);
    await tickets.write("GH-1", holder, { state: "running" });
    const ticket = await tickets.get("GH-1");
    if (ticket === undefined) throw new Error("There is no ticket.");
    const { attempt, saved, turn: number } = ticket;
    const beat = async (stage: string) => void (await tickets.write("GH-1", holder, { stage }));
    const result = await processor(ticket, {
      turn: number,
      attempt,
      saved,
      leaseId: "l",
      signal: new AbortController().signal,
      heartbeat: beat,
    });
    await tickets.write("GH-1", holder, { saved: result.saved, turn: number + 1 });
    return result;
  };
  const act = async (name: string, parameters: { readonly [key: string]: Json }) => {
    const bound = actions.find(name)?.bind(parameters);
    if (bound?.ok !== true) throw new Error(`The action ${name} cannot be bound.`);
    return outputOf(await bound.action.run(await bound.action.plan(bench.context()), bench.context()));
  };
  const recover = async () => {
    await clock.advance(300_000);
    const found = await act("find-failure-point", { queue: "fast" });
    const kept = await act("preserve-work", { tickets: ["GH-1"] });
    const back = await act("roll-back-work", { tickets: ["GH-1"] });
    return { found, kept, back, resumed: await act("resume-tickets", { tickets: ["GH-1"] }) };
  };
  const work = async () => parseStagedWork((await tickets.get("GH-1"))?.saved ?? null);
  const stagesAsked = () => asked.map(({ phase: stage }) => stage);
  return { folder, origin, at, tickets, checkpoints, turn, recover, work, stagesAsked };
}

it("passes a checkpoint over whose bytes rotted, goes on from the one before, and keeps the broken one", async () => {
  const { folder, at, checkpoints, turn, recover, work, stagesAsked } = await open();
  await turn("first");
  await turn("first");
  // The machine is gone with its worktree, and a disk block with it.
  plainly(folder, "worktree", "remove", "--force", at);
  const blob = plainly(folder, "rev-parse", "refs/checkpoints/GH-1/2:implement.txt");
  const path = join(folder, ".git", "objects", blob.slice(0, 2), blob.slice(2));
  chmodSync(path, 0o644);
  const other = plainly(folder, "rev-parse", "HEAD:a.txt");
  writeFileSync(path, readFileSync(join(folder, ".git", "objects", other.slice(0, 2), other.slice(2))));
  const { kept, resumed } = await recover();
  expect(kept).toMatchObject({ preserved: 0, broken: 1 });
  expect(resumed["tickets"]).toMatchObject([{ decision: "resume", checkpoint: 1 }]);
  expect(await work()).toMatchObject({ resume: { n: 1 }, done: [{ stage: "plan", n: 1 }] });
  await turn("second");
  expect(readFileSync(join(at, "implement.txt"), "utf8")).toBe("implement by try 2");
  expect(readFileSync(join(at, "plan.txt"), "utf8")).toBe("plan by try 1");
  expect(stagesAsked()).toEqual(["plan", "implement", "implement"]);
  expect((await checkpoints.list("GH-1")).map(({ kind }) => kind)).toEqual(["whole", "broken", "whole"]);
});

it("goes back to green when the work is in conflict, takes the branch back, and keeps what was there", async () => {
  const { folder, origin, at, tickets, checkpoints, turn, recover, work } = await open();
  for (let stage = 0; stage < 3; stage += 1) await turn("first");
  const published = await checkpoints.publish("GH-1", "too early");
  await tickets.write("GH-1", "first", { saved: storedWork({ ...(await work()), published }) });
  writeFileSync(join(folder, "a.txt"), "theirs");
  plainly(folder, "commit", "-qam", "theirs");
  writeFileSync(join(at, "a.txt"), "ours");
  plainly(at, "commit", "-qam", "ours");
  execFileSync("/bin/sh", ["-c", `! ${git} -c user.name=a -c user.email=a@b merge -q main`], { cwd: at, stdio: "ignore" });
  await tickets.write("GH-1", "first", { stage: "review" });
  const { found, back, resumed } = await recover();
  expect(found).toMatchObject({ failure_class: "git_conflict", published: 1 });
  expect(back).toMatchObject({ rolled_back: 1, withdrawn: [{ ticket: "GH-1", what: "withdrawn" }] });
  expect(resumed["tickets"]).toMatchObject([{ decision: "roll_back", checkpoint: 3 }]);
  expect((await checkpoints.find("GH-1"))?.conflicts).toEqual([]);
  expect(readFileSync(join(at, "a.txt"), "utf8")).toBe("base");
  expect(plainly(folder, "show", "refs/checkpoints/GH-1/4:a.txt")).toContain("<<<<<<<");
  expect(plainly(origin, "for-each-ref", "--format=%(refname)", "refs/heads")).toBe("refs/heads/main");
  expect(plainly(origin, "rev-parse", "refs/checkpoints/GH-1/4")).toBe(plainly(folder, "rev-parse", "refs/checkpoints/GH-1/4"));
});
