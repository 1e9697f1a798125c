import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aNewVersion } from "../../../../test/contracts/describe-prompt-store.ts";
import type { ActionResult, BoundAction } from "../../../core/action.ts";
import { evaluatePrompt } from "./evaluate-prompt.ts";
import { adviceOf } from "./restructure-prompt.ts";

const cached = { prompt: "implement", provider: "anthropic", model: "opus-test" };

async function aBench() {
  const bench = createActionBench();
  await bench.ports.prompts.create("implement", aNewVersion("better"), "ada");
  const deploy = bench.bind("deploy-canary", { ...cached, version: 2, predicted_hit: 0.94 });
  return { ...bench, deploy };
}

async function lookOn(bench: Awaited<ReturnType<typeof aBench>>, action: BoundAction, looks = 60): Promise<ActionResult> {
  const plan = await action.plan(bench.context());
  let progress: Json | undefined;
  for (let look = 0; look < looks; look += 1) {
    const result = await action.run(plan, bench.context({ progress }));
    if (result.kind !== "continue") return result;
    progress = result.progress;
    await bench.clock.advance(result.afterMs);
  }
  return { kind: "continue", afterMs: 0, progress: progress ?? null };
}

describe("deploy-canary", () => {
  it("gives the version to a growing share and ends verified, with the share left at all", async () => {
    const bench = await aBench();
    expect(outputOf(await lookOn(bench, bench.deploy))).toMatchObject({
      verified: true,
      share: 1,
      shares: [0.1, 0.5, 1],
      hit: 0.93,
      baseline_hit: 0.02,
    });
    expect(await bench.ports.rollouts.read("implement")).toMatchObject({ version: 2, share: 1, rollout: expect.stringMatching(/^ro-/) });
    expect((await bench.ports.prompts.read("implement"))?.labels).toEqual({ production: 1, canary: 2 });
  });

  it("shows a person what differs between the versions, and why the gate wants one", async () => {
    const bench = createActionBench();
    const reasons = ["52 % of the tokens move; above 30 % a person decides"];
    await bench.ports.prompts.create("implement", { ...aNewVersion("better"), evidence: { reasons } }, "ada");
    const plan = await bench.bind("deploy-canary", { ...cached, version: 2, predicted_hit: 0.94 }).plan(bench.context());
    expect(plan.summary).toContain("or longer; 52 % of the tokens move");
    expect(plan.changes.map(({ field }) => field)).toEqual(["canary", "layers", "markers"]);
    expect(plan.changes[1]).toMatchObject({
      before: expect.stringContaining("clock (system)"),
      after: expect.stringContaining("rules (system)"),
    });
  });

  it("is done when it runs again after a crash, and its undo gives everything back once", async () => {
    const bench = await aBench();
    const plan = await bench.deploy.plan(bench.context());
    const first = await bench.deploy.run(plan, bench.context());
    await bench.deploy.run(plan, bench.context());
    expect(first).toMatchObject({ kind: "continue", progress: { headline: expect.stringContaining("10 % of the tickets") } });
    expect(bench.acts.slice(1)).toEqual(["prompt/implement: canary none -> 10 %"]);
    await bench.deploy.undo?.(plan, {}, bench.context());
    await bench.deploy.undo?.(plan, {}, bench.context());
    expect(await bench.ports.rollouts.read("implement")).toBeNull();
    expect((await bench.ports.prompts.read("implement"))?.labels).toEqual({ production: 1 });
  });

  it("leaves alone what somebody else has set, on the way and in its undo", async () => {
    const bench = await aBench();
    const plan = await bench.deploy.plan(bench.context());
    await bench.deploy.run(plan, bench.context());
    const other = { version: 1, share: 0.3, salt: "ada" };
    await bench.ports.rollouts.compareAndSet("implement", await bench.ports.rollouts.read("implement"), other);
    const refused = { failure: { reason: "refused_by_target", applied: "no", message: expect.stringContaining("version 1 for 30 %") } };
    await expect(
      bench.deploy.run(
        plan,
        bench.context({ progress: { stage: 0, since: bench.clock.now(), reached: [0.1], asked: false, headline: "", note: "" } }),
      ),
    ).rejects.toMatchObject(refused);
    await expect(bench.deploy.undo?.(plan, {}, bench.context())).rejects.toMatchObject(refused);
    expect(await bench.ports.rollouts.read("implement")).toEqual(other);
  });

  it("goes on at the step of a canary that an older version of runbookd began, with new counts", async () => {
    const bench = await aBench();
    const plan = await bench.deploy.plan(bench.context());
    await bench.ports.rollouts.compareAndSet("implement", null, { version: 2, share: 0.5, salt: "run-1" });
    const progress = { stage: 1, since: bench.clock.now(), reached: [0.1, 0.5], asked: false, headline: "", note: "" };
    const next = await bench.deploy.run(plan, bench.context({ progress }));
    expect(next.kind).toBe("continue");
    const [rollout] = await bench.ports.rolloutStore.list();
    expect(rollout).toMatchObject({ state: "running", step: 1, salt: "run-1", runId: "run-1" });
    expect(await bench.ports.rollouts.read("implement")).toMatchObject({ version: 2, share: 0.5, salt: "run-1", rollout: rollout?.id });
  });

  it("refuses a version that does not exist, one that is production, and a second canary", async () => {
    const bench = await aBench();
    const bind = (version: number) => bench.bind("deploy-canary", { ...cached, version, predicted_hit: 0.9 });
    await expect(bind(7).plan(bench.context())).rejects.toThrow("no version 7");
    await expect(bind(1).plan(bench.context())).rejects.toThrow("production already");
    await bench.ports.rollouts.compareAndSet("implement", null, { version: 2, share: 0.1, salt: "x" });
    await expect(bind(2).plan(bench.context())).rejects.toThrow("a canary already");
    const shares = { ...cached, version: 2, predicted_hit: 0.9, shares: [0.5, 0.1] };
    expect(bench.actions.find("deploy-canary")?.bind(shares)).toMatchObject({ ok: false });
  });

  it("waits for the person who may wait on or take back", async () => {
    const bench = await aBench();
    bench.prompt.ticketsPerMinute = 0;
    const asked = await lookOn(bench, bench.deploy);
    expect(asked).toMatchObject({
      kind: "ask",
      answers: ["wait", "take_back"],
      question: expect.stringContaining("No ticket has begun since this step began"),
    });
    expect(await bench.ports.rollouts.read("implement")).toMatchObject({ share: 0.1 });
  });
});

describe("promote-prompt", () => {
  it("labels, ends the canary, and gives both back", async () => {
    const bench = await aBench();
    const canary = { version: 2, share: 1, salt: "run-1" };
    await bench.ports.rollouts.compareAndSet("implement", null, canary);
    const promote = bench.bind("promote-prompt", { prompt: "implement", version: 2 });
    const plan = await promote.plan(bench.context());
    expect(await promote.probe?.(plan, bench.context())).toEqual({ kind: "not_applied" });
    expect(outputOf(await promote.run(plan, bench.context()))).toMatchObject({ production: 2, before: 1 });
    expect(outputOf(await promote.run(plan, bench.context()))).toMatchObject({ production: 2, before: 1 });
    expect(await bench.ports.rollouts.read("implement")).toBeNull();
    await promote.undo?.(plan, {}, bench.context());
    expect((await bench.ports.prompts.read("implement"))?.labels).toMatchObject({ production: 1 });
    expect(await bench.ports.rollouts.read("implement")).toEqual(canary);
  });

  it("does not take a label from somebody who was faster", async () => {
    const bench = await aBench();
    const promote = bench.bind("promote-prompt", { prompt: "implement", version: 2 });
    const plan = await promote.plan(bench.context());
    await bench.ports.prompts.create("implement", aNewVersion("third"), "ada");
    await bench.ports.prompts.moveLabel({ prompt: "implement", label: "production", expected: 1, to: 3, by: "ada" });
    await expect(promote.run(plan, bench.context())).rejects.toMatchObject({ failure: { reason: "refused_by_target", applied: "no" } });
    await expect(promote.undo?.(plan, {}, bench.context())).rejects.toThrow("version 3");
  });
});

describe("restructure-prompt", () => {
  it("drafts one version however often it runs, and nobody has it", async () => {
    const bench = createActionBench();
    const restructure = bench.bind("restructure-prompt", cached);
    const plan = await restructure.plan(bench.context());
    const first = outputOf(await restructure.run(plan, bench.context()));
    expect(first).toMatchObject({ version: 2, parent: 1, approval: "auto", predicted_hit: 0.94, measured_hit: 0.02 });
    expect(outputOf(await restructure.run(plan, bench.context()))).toEqual(first);
    expect(await bench.ports.prompts.read("implement")).toEqual({ name: "implement", latest: 2, labels: { production: 1 } });
    expect((await bench.ports.prompts.version("implement", 2))?.layout.layers.map(({ key }) => key)).toEqual([
      "tools",
      "rules",
      "guide",
      "ticket",
      "history",
      "runtime_context",
    ]);
  });

  it("says what is missing, and changes nothing", async () => {
    for (const [blocked, sentence] of [
      ["uncalibrated", "does not tell what was measured"],
      ["no_layers", "not rendered from layers"],
      ["nothing_to_gain", "next to nothing"],
      ["not_the_layout", "the application's to do"],
    ] as const) {
      const bench = createActionBench();
      bench.prompt.blocked = blocked;
      await expect(bench.bind("restructure-prompt", cached).plan(bench.context())).rejects.toThrow(sentence);
      expect(bench.acts).toEqual([]);
    }
    const { bind, context } = createActionBench();
    await expect(bind("restructure-prompt", { ...cached, model: "other" }).plan(context())).rejects.toThrow("no samples");
    await expect(bind("restructure-prompt", { ...cached, prompt: "nothing" }).plan(context())).rejects.toThrow('no prompt "nothing"');
  });
});

it("the advice for a layout leaves out what only the application can do", () => {
  const cause = { unit: "clock", evidence: {}, risk: "low", sentence: "", hitAfter: 0.9, savedAfterMicroUsdPerDay: 0 } as const;
  const analysis = {
    causes: [
      { ...cause, class: "volatile_span", transform: "T2" },
      { ...cause, unit: "parameters", class: "parameter_churn", transform: "T5" },
    ],
    transforms: ["T2", "T5", "markers"],
    units: [],
    markers: [{ after: "history", ttl: "1h" }],
    predictedHit: 0.9,
    predictedCostPerDay: 10,
  } as const;
  const advice = { canonical: false, volatile: ["clock"] };
  expect(adviceOf(analysis)).toEqual({ ...advice, breakpoints: [{ afterLayer: "history", ttl: "1h" }] });
  const byLayout = { hit: 0.4, costPerDay: 20, markers: [{ after: "rules", ttl: "5m" }] } as const;
  expect(adviceOf({ ...analysis, byLayout })).toEqual({ ...advice, breakpoints: [{ afterLayer: "rules", ttl: "5m" }] });
});

it("analyze-cache says what is lost, and claims nothing when the replay does not tell what was measured", async () => {
  const bench = createActionBench();
  const analyse = bench.bind("analyze-cache", cached);
  const sentence = async () => outputOf(await analyse.run(await analyse.plan(bench.context()), bench.context()))["sentence"];
  expect(await sentence()).toMatch(
    /^implement reads 2\.0 % of its input from the cache and could read 94\.0 %; that loses \$\S+ a day\. The same tools/,
  );
  bench.prompt.blocked = "uncalibrated";
  expect(await sentence()).toMatch(
    /^implement reads 2\.0 % of its input from the cache and nobody can tell what it could read\. The replay is 12/,
  );
});

describe("rank-prompts", () => {
  it("calls a prompt worth a change by what it loses, and judges none whose replay does not tell what was measured", async () => {
    const bench = createActionBench();
    const rank = bench.bind("rank-prompts", cached);
    const look = async () => outputOf(await rank.run(await rank.plan(bench.context()), bench.context()));
    expect(await look()).toMatchObject({ worth: true, rank: 1, unjudged: [] });
    bench.prompt.blocked = "uncalibrated";
    const unjudged = await look();
    expect(unjudged).toMatchObject({
      worth: false,
      rows: [],
      unjudged: [{ prompt: "implement", why: expect.stringContaining("12 percentage points off") }],
    });
    expect(unjudged).toMatchObject({ sentence: expect.stringMatching(/^implement could not be judged: The replay is 12/) });
    expect(unjudged).not.toHaveProperty("rank");
  });
});

describe("evaluate-prompt", () => {
  const parameters = { prompt: "implement", baseline: 1, candidate: 2, tickets: 100 };

  it("starts one evaluation per key and judges its pairs", async () => {
    const bench = createActionBench();
    const evaluate = bench.bind("evaluate-prompt", parameters);
    bench.prompt.worseAnswers = 20;
    expect(outputOf(await lookOn({ ...bench, deploy: evaluate }, evaluate))).toMatchObject({
      passed: false,
      pairs: 100,
      difference: -0.2,
      by: "evaluator",
    });
    expect(bench.acts).toEqual(["prompt/implement: 100 tickets are worked on with both versions"]);
  });

  it("asks a person when no evaluator is configured", async () => {
    const bench = createActionBench();
    const bound = evaluatePrompt.create({ ...bench.ports, evaluator: undefined }).bind(parameters);
    if (!bound.ok) throw new Error(bound.issues.join());
    const plan = await bound.action.plan(bench.context());
    expect(await bound.action.run(plan, bench.context())).toMatchObject({ kind: "ask", answers: ["not_worse", "worse"] });
    expect(outputOf(await bound.action.run(plan, bench.context({ answer: "worse" })))).toMatchObject({ passed: false, by: "person" });
  });
});
