import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { aSecurityIncident, aSimulatedFeature } from "../../../../test/builders/a-security-incident.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { type ActionPorts, createActions } from "../../../app/action-registry.ts";
import type { ActionContext, ActionResult, BoundAction } from "../../../core/action.ts";
import type { SimulatedCorpus } from "../../../rehearsal/rehearsal.ts";
import { createSimulatedAttacks } from "../../../rehearsal/simulated-attacks.ts";
import { createSimulatedFeatures } from "../../../rehearsal/simulated-features.ts";

const fix = "b".repeat(40);
const corpus: SimulatedCorpus = { recorded: 2, harmless: 1, hits: 1, fixHits: 0, answers: 1, fixAnswers: 1, failed: 0, changes: false };

/** A bench with one feature whose attacks are these. */
function createBench(attacks: SimulatedCorpus | "unreadable" | "none" = corpus) {
  const bench = createActionBench();
  const { attacks: _attacks, ...feature } = aSimulatedFeature();
  const features = [{ ...feature, ...(attacks !== "none" && { attacks }) }];
  const changed = (line: string) => void bench.acts.push(line);
  const simulated = createSimulatedAttacks(features, bench.clock, changed);
  const replays: string[] = [];
  const ports: ActionPorts = {
    ...bench.ports,
    ...createSimulatedFeatures(aSecurityIncident({ features }), bench.clock, changed),
    ...simulated,
    attackRunner: {
      async replay(request, call) {
        replays.push(call.key);
        return simulated.attackRunner.replay(request, call);
      },
    },
  };
  const bind = (parameters: { readonly [key: string]: Json }): BoundAction => {
    const bound = createActions(ports)
      .find("replay-attacks")
      ?.bind({ feature: "export", ...parameters });
    if (bound?.ok !== true) throw new Error(`It cannot be bound: ${bound?.issues.join("; ")}`);
    return bound.action;
  };
  return { ...bench, ports, bind, replays };
}

type Bench = ReturnType<typeof createBench>;

async function carryOut(
  bench: Bench,
  parameters: { readonly [key: string]: Json } = {},
  change: Partial<ActionContext> = {},
): Promise<ActionResult> {
  const action = bench.bind(parameters);
  const plan = await action.plan(bench.context(change));
  let progress: Json | undefined;
  for (let calls = 0; calls < 10; calls += 1) {
    const result = await action.run(plan, bench.context({ progress, ...change }));
    if (result.kind !== "continue") return result;
    progress = result.progress;
  }
  throw new Error("It comes to no end.");
}

describe("replay-attacks", () => {
  it("counts the tries that work on what is deployed", async () => {
    const bench = createBench();
    expect(outputOf(await carryOut(bench))).toMatchObject({
      hits: 60,
      tries: 60,
      bound: 1,
      sha: "d".repeat(40),
      harmless: 0,
      harmless_worse: 0,
      harmless_worse_upper: 1,
      failed: 0,
      attacks: 2,
      corpus: "c".repeat(64),
      feature: "export",
      by_attack: [
        { id: "attack-1", tries: 30, hits: 30, bound: 1 },
        { id: "attack-2", tries: 30, hits: 30, bound: 1 },
      ],
      sentence: "60 of 60 tries worked on commit dddddddddddd: attack-1, attack-2.",
    });
    expect(bench.acts).toEqual(["attacks/export: 60 tries on what is deployed"]);
  });

  it("shows for a commit what rate of success is still possible, and that harmless requests are answered as before", async () => {
    const bench = createBench();
    expect(outputOf(await carryOut(bench, { at: fix }))).toMatchObject({
      hits: 0,
      tries: 60,
      bound: 0.0487,
      bound_each: 0.095,
      sha: fix,
      harmless: 40,
      harmless_worse: 0,
      harmless_worse_upper: 0.0722,
      harmless_refused: [],
      sentence:
        "None of 60 tries worked on commit bbbbbbbbbbbb; with 95 % confidence fewer than 4.87 % do. Of 40 harmless requests it answers 0 % fewer than what is deployed, at most 7.2 % fewer.",
    });
    expect(bench.acts).toEqual(["attacks/export: 40 tries on what is deployed", "attacks/export: 100 tries on bbbbbbbbbbbb"]);
  });

  it("shows that a fix refuses harmless requests", async () => {
    const output = outputOf(await carryOut(createBench({ ...corpus, fixAnswers: 0 }), { at: fix }));
    expect(output).toMatchObject({ hits: 0, harmless: 40, harmless_worse: 1, harmless_worse_upper: 1, harmless_refused: ["harmless-1"] });
  });

  it("takes the result that is there after a crash, and replays nothing again", async () => {
    const bench = createBench();
    const first = outputOf(await carryOut(bench, { at: fix }));
    expect(bench.replays).toEqual(["key-1 baseline", "key-1"]);
    expect(outputOf(await carryOut(bench, { at: fix }))).toEqual(first);
    expect(bench.replays).toHaveLength(2);
    expect(outputOf(await carryOut(bench, { at: fix }, { idempotencyKey: "key-2" }))).toEqual(first);
    expect(bench.replays.slice(2)).toEqual(["key-2 baseline", "key-2"]);
  });

  it("keeps a result that no scheduled replay has made", async () => {
    const bench = createBench();
    await carryOut(bench);
    expect(await bench.ports.attackReplays.scheduled()).toEqual([]);
  });

  it("says in its plan how much is sent to what, before anything is sent", async () => {
    const bench = createBench();
    expect(await bench.bind({ at: fix }).plan(bench.context())).toMatchObject({
      summary: "Replay 2 recorded attacks of feature export, at least 60 tries in all, on an isolated instance of commit bbbbbbbbbbbb",
      targets: ["feature/export"],
    });
    expect(bench.acts).toEqual([]);
  });

  it.each([
    ["there is no command for it", "none" as const, "names no `attacks` for feature export"],
    ["the corpus cannot be read", "unreadable" as const, "cannot be used: The corpus cannot be read"],
    ["most tries come to nothing", { ...corpus, failed: 0.5 }, "came to no answer that can be judged"],
  ])("refuses when %s", async (_, attacks, message) => {
    await expect(carryOut(createBench(attacks))).rejects.toMatchObject({
      failure: { reason: "refused_by_target", applied: "no", message: expect.stringContaining(message) },
    });
  });

  it("refuses when the corpus was changed after the plan", async () => {
    const bench = createBench();
    const action = bench.bind({ at: fix });
    const plan = await action.plan(bench.context());
    const changed = { ...plan, data: { corpus: "e".repeat(64) } };
    await expect(action.run(changed, bench.context())).rejects.toMatchObject({ failure: { reason: "refused_by_target" } });
  });

  it("asks which feature is meant, and takes what a person has said in an earlier step", async () => {
    const bench = createBench();
    expect(await carryOut(bench, { feature: "unknown" })).toMatchObject({ kind: "ask", answers: ["export", "none"] });
    expect(outputOf(await carryOut(bench, { feature: "unknown" }, { answer: "export" }))).toMatchObject({ feature: "export", hits: 60 });
    const results = { earlier: { feature: "export", asked_for: "unknown" } };
    expect(outputOf(await carryOut(bench, { feature: "unknown" }, { results, idempotencyKey: "key-3" }))).toMatchObject({
      asked_for: "unknown",
    });
    await expect(carryOut(bench, { feature: "unknown" }, { answer: "none" })).rejects.toMatchObject({ failure: { applied: "no" } });
  });

  it.each([
    ["a branch", { at: "main" }],
    ["a short commit", { at: "bbbbbbbbbbbb" }],
    ["no try", { tries: 0 }],
  ])("does not accept %s", (_, parameters) => {
    const bound = createActions(createBench().ports)
      .find("replay-attacks")
      ?.bind({ feature: "export", ...parameters });
    expect(bound).toMatchObject({ ok: false });
  });
});
