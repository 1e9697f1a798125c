import { expect, it } from "@jest/globals";
import type { Candidate, EngineObserver } from "../engine/ports.ts";
import { noFacts } from "../guardrails/guardrail.ts";
import { aRunbook, aStep } from "../testing/a-runbook.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { scriptActions } from "../testing/scripted-actions.ts";
import { guardSteps, rememberOutcomes } from "./guard-steps.ts";

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
  return { runId: "run_1", runbook, step, action: bound.action, plan, mode: "auto", target: undefined, approved: false, raised: [] };
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

it("lets the breaker hear of raising actions only, and still tells telemetry of all", async () => {
  const heard: string[] = [];
  const told: string[] = [];
  const nothing = () => undefined;
  const observer: EngineObserver = {
    claimed: nothing,
    stepEnded: ({ action, outcome }) => void told.push(`${action} ${outcome}`),
    firstEffect: nothing,
    refused: nothing,
    fenced: nothing,
    ended: nothing,
  };
  const memory = {
    failed: async (action: string, id: string) => void heard.push(`failed ${action} ${id}`),
    worked: async (action: string) => void heard.push(`worked ${action}`),
  };
  const remembering = rememberOutcomes(observer, memory, { actions, clock: createFakeClock(7), lost: nothing });
  for (const outcome of ["completed", "failed", "in_doubt"] as const) {
    for (const action of ["stop", "resume"]) remembering.stepEnded({ runId: "run_1", stepId: "a", action, outcome, ms: 1 });
  }
  expect(heard).toEqual(["worked resume", "failed resume run_1:a:7", "failed resume run_1:a:7"]);
  expect(told).toHaveLength(6);
});
