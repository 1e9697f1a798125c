import { beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import { newTicketSchema } from "../../packages/sdk/src/wire/tickets.ts";
import { aRollout } from "../../test/builders/a-rollout.ts";
import { createActionBench } from "../../test/builders/action-bench.ts";
import { aNewVersion } from "../../test/contracts/describe-prompt-store.ts";
import { aBudgetState } from "../../test/fakes/fake-budget-control.ts";
import type { RolloutStore } from "../llm/rollouts/rollout.ts";
import { actionCatalogue } from "./action-registry.ts";

const cached = { prompt: "implement", provider: "anthropic", model: "opus-test" };

const hotfixSha = createActionBench().code.tip("rehearsal/export", "hotfix/export") ?? "";

const parametersOf: { readonly [name: string]: { readonly [key: string]: Json } } = {
  "analyze-cache": cached,
  "cancel-tickets": { budget: "checkout" },
  "check-candidate": { route: "implement", to: "anthropic/claude-new" },
  "compare-candidate": { evaluation: "e-1" },
  "evaluate-candidate": { route: "implement", to: "anthropic/claude-new", max_usd: 50 },
  "complete-rollout": { rollout: "r1" },
  "follow-rollout": { route: "implement" },
  "look-at-rollout": { route: "implement" },
  "open-rollout": { rollout: "r1" },
  "plan-rollout": { route: "implement", to: "anthropic/claude-new" },
  "roll-back-rollout": { route: "implement" },
  "run-rollout": { rollout: "r1" },
  "watch-rollout": { rollout: "r1" },
  "deploy-canary": { ...cached, version: 2, predicted_hit: 0.9 },
  "evaluate-prompt": { prompt: "implement", baseline: 1, candidate: 2 },
  "cancel-batch": { batch: "nightly", reason: "r" },
  "handle-batch-failures": { batch: "nightly" },
  "http-request": { url: "https://allowed.example/x" },
  "find-failure-point": { queue: "tickets" },
  "fix-failure-cause": { tickets: ["GH-1"] },
  "preserve-work": { tickets: ["GH-1"] },
  "resume-tickets": { tickets: ["GH-1"] },
  "roll-back-work": { tickets: ["GH-1"] },
  "measure-prompt": { ...cached, version: 2 },
  notify: { subject: "s", text: "t" },
  "pause-batch": { batch: "nightly", reason: "r" },
  "pause-batches": { budget: "checkout", reason: "r" },
  "promote-prompt": { prompt: "implement", version: 2 },
  "prometheus-query": { query: "up" },
  "rank-operations": { budget: "checkout" },
  "rank-prompts": cached,
  "restructure-prompt": cached,
  "prepare-batch": { batch: "nightly" },
  "reconcile-batch": { batch: "nightly" },
  "resume-batch": { batch: "nightly" },
  "resume-batches": { budget: "checkout" },
  "resume-with-ramp": { budget: "checkout" },
  "run-command": { command: "restart" },
  "send-report": {},
  "set-batch-limits": { batch: "nightly", concurrency: 1 },
  "set-limits": { budget: "checkout", concurrency: 1 },
  "submit-batch": { batch: "nightly" },
  "take-snapshot": { budget: "checkout" },
  "watch-batch": { batch: "nightly" },
  wait: { for: "1s" },
  "assess-severity": { feature: "export" },
  "disable-feature": { feature: "export" },
  "disable-keys": { feature: "export" },
  "keep-evidence": { feature: "export" },
  "merge-change": { feature: "export", change: "branch/hotfix/export", sha: hotfixSha },
  "prepare-hotfix": { feature: "export" },
  "replay-attacks": { feature: "export" },
  "enable-feature": { feature: "export" },
  "close-findings": { feature: "export" },
  "write-post-mortem": { feature: "export" },
  "run-tests": { feature: "export", sha: "b".repeat(40), base_sha: "a".repeat(40) },
  "deploy-release": { feature: "export", sha: "c".repeat(40) },
};

/** A planned rollout, or one that has shown what its plan demands. */
async function planARollout(store: RolloutStore, isShown: boolean): Promise<void> {
  await store.create(aRollout());
  const decision = { at: 0, decision: "finish", reason: "shown", detail: "shown", step: 2, share: 0.95, by: "run:1" } as const;
  if (isShown) await store.change({ id: "r1", expected: 1, set: { state: "running", step: 2 }, decision });
}

describe.each(actionCatalogue.names)("%s", (name) => {
  const bench = createActionBench(aBudgetState("checkout"));
  const spec = actionCatalogue.find(name);
  beforeAll(async () => {
    await bench.ports.prompts.create("implement", aNewVersion("another"), "ada");
    await bench.tickets.add(newTicketSchema.parse({ id: "GH-1", budget: "checkout" }));
    if (parametersOf[name]?.["rollout"] !== undefined) await planARollout(bench.ports.rolloutStore, name === "complete-rollout");
  });

  it("says the truth about probe and undo", () => {
    const action = bench.bind(name, parametersOf[name] ?? {});
    expect({ probes: action.probe !== undefined, undoes: action.undo !== undefined }).toEqual({
      probes: spec?.probes,
      undoes: spec?.undoes,
    });
  });

  it("has no undo of its own when it lowers, because an undo keeps what lowers", () => {
    expect(spec?.risk === "lowers" && spec.undoes).toBe(false);
  });

  it("plans without an effect, with a target when it changes something", async () => {
    const action = bench.bind(name, parametersOf[name] ?? {});
    const plan = await action.plan(bench.context());
    expect(plan.summary).not.toBe("");
    expect(action.effect === "read" || plan.targets.length === 1).toBe(true);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(bench.control.of("checkout").calls).not.toContain("compareAndSet");
    expect([...bench.requests, ...bench.rows, ...bench.started]).toEqual([]);
  });

  it("refuses an unknown parameter and has a schema that can be printed", () => {
    expect(bench.actions.find(name)?.bind({ ...parametersOf[name], surprise: 1 })).toMatchObject({ ok: false });
    expect(z.toJSONSchema(spec?.parameters ?? z.never(), { io: "input" })).toMatchObject({ type: "object" });
  });
});

it("marks durations and queries in the schema, so that a demo can scale them", () => {
  const schema = z.toJSONSchema(actionCatalogue.find("resume-with-ramp")?.parameters ?? z.never(), { io: "input" });
  expect(schema.properties).toMatchObject({ every: { format: "duration" }, burn: { format: "promql" } });
});

it("knows no other name", () => {
  expect(actionCatalogue.find("run-shell")).toBeUndefined();
  expect(actionCatalogue.find("constructor")).toBeUndefined();
  expect(Object.keys(parametersOf).sort()).toEqual(actionCatalogue.names);
});
