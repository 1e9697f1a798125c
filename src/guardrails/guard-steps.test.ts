import { expect, it } from "@jest/globals";
import { aRunbook, aStep } from "../../test/builders/a-runbook.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { scriptActions } from "../../test/fakes/scripted-actions.ts";
import type { Candidate } from "../runs/engine/candidate.ts";
import { guardSteps, rememberOutcomes } from "./guard-steps.ts";
import { noFacts } from "./guardrail.ts";

const actions = scriptActions([
  { name: "stop", risk: "lowers" },
  { name: "resume", risk: "raises" },
]);

function aCandidate(name: "stop" | "resume", limits: { readonly [limit: string]: number } = {}): Candidate {
  const bound = actions.find(name)?.bind({});
  if (bound?.ok !== true) throw new Error(`no action ${name}`);
  const step = aStep(name);
  const plan = { summary: "x", targets: ["budget/a"], changes: [], reversible: true, data: null };
  const runbook = { ...aRunbook([step]), limits };
  return {
    runId: "run_1",
    runbook,
    step,
    action: bound.action,
    plan,
    mode: "auto",
    target: undefined,
    approved: false,
    raised: [],
    byMachine: true,
  };
}

const settings = { guardrails: {}, protectedTargets: [] };
const stormy = { read: async () => ({ ...noFacts, newEpisodes: 51 }) };
const blind = { read: async () => Promise.reject(new Error("Redis is away.")) };

it("judges what raises by what is known, and by the runbook's lower limits", async () => {
  expect((await guardSteps(settings, stormy)(aCandidate("resume"), 0)).kind).toBe("ask");
  expect((await guardSteps({ ...settings, guardrails: { storm_episodes: 99 } }, stormy)(aCandidate("resume"), 0)).kind).toBe("allow");
  expect(
    (await guardSteps({ ...settings, guardrails: { storm_episodes: 99 } }, stormy)(aCandidate("resume", { storm_episodes: 9 }), 0)).kind,
  ).toBe("ask");
});

it("has no verdict on what raises while it cannot see, and does not need to see to let a stop through", async () => {
  await expect(guardSteps(settings, blind)(aCandidate("resume"), 0)).rejects.toThrow("Redis is away.");
  expect((await guardSteps(settings, blind)(aCandidate("stop"), 0)).kind).toBe("allow");
});

it("remembers how the attempts of raising actions and the runs end, and nothing of other events", async () => {
  const kept: string[] = [];
  const memory = {
    recordFailure: async (action: string, targets: readonly string[], id: string) =>
      void kept.push(`failed ${action} on ${targets.join()} ${id}`),
    recordSuccess: async (action: string, targets: readonly string[]) => void kept.push(`worked ${action} on ${targets.join()}`),
    recordOutcome: async (runbookId: string, helped: boolean) => void kept.push(`${runbookId} ${helped ? "helped" : "did not help"}`),
  };
  const remember = rememberOutcomes(memory, { actions, clock: createFakeClock(7), lost: () => undefined });
  remember({ kind: "run_claimed", runId: "run_1", runbookId: "cost", stalls: 0 });
  remember({ kind: "first_effect", afterAcceptMs: 1 });
  remember({ kind: "step_refused", guardrail: "cooldown" });
  remember({ kind: "write_fenced", runId: "run_1" });
  expect(kept).toEqual([]);
  for (const outcome of ["completed", "failed", "in_doubt"] as const) {
    for (const action of ["stop", "resume"])
      remember({ kind: "step_ended", runId: "run_1", stepId: "a", action, outcome, ms: 1, targets: ["budget/a"] });
  }
  for (const outcome of ["succeeded", "ineffective", "inconclusive", "aborted"])
    remember({ kind: "run_ended", runId: "run_1", runbookId: "cost", outcome, ms: 1 });
  expect(kept).toEqual([
    "worked resume on budget/a",
    "failed resume on budget/a run_1:a:7",
    "failed resume on budget/a run_1:a:7",
    "cost helped",
    "cost did not help",
  ]);
});

it("says when an outcome could not be remembered", async () => {
  const fail = async () => Promise.reject(new Error("Redis is away."));
  const lost: unknown[] = [];
  const remember = rememberOutcomes(
    { recordFailure: fail, recordSuccess: fail, recordOutcome: fail },
    { actions, clock: createFakeClock(), lost: (error) => lost.push(error) },
  );
  remember({ kind: "step_ended", runId: "run_1", stepId: "a", action: "resume", outcome: "completed", ms: 1, targets: [] });
  remember({ kind: "step_ended", runId: "run_1", stepId: "a", action: "resume", outcome: "failed", ms: 1, targets: [] });
  remember({ kind: "run_ended", runId: "run_1", runbookId: "cost", outcome: "succeeded", ms: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(lost).toHaveLength(3);
});

it("measures the reach of a raise against how many there are, and has no verdict while they cannot be counted", async () => {
  const two: Candidate = { ...aCandidate("resume"), plan: { ...aCandidate("resume").plan, targets: ["budget/a", "budget/b"] } };
  const wide = { ...settings, guardrails: { targets_per_run: 99 } };
  const calm = { read: async () => noFacts };
  const having = (count: number) => guardSteps(wide, calm, { budget: async () => count });
  expect((await having(20)(two, 0)).kind).toBe("allow");
  expect(await having(19)(two, 0)).toMatchObject({ kind: "refuse", guardrail: "blast-radius" });
  await expect(guardSteps(wide, calm, { budget: async () => Promise.reject(new Error("Redis is away.")) })(two, 0)).rejects.toThrow("away");
});
