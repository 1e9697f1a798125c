import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { aSimulatedModel, createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { type ActionPorts, createActions } from "../../../app/action-registry.ts";
import type { ActionResult, BoundAction } from "../../../core/action.ts";
import type { EvaluationState, Evaluator } from "../evaluator.ts";

const parameters = { route: "implement", to: "anthropic/claude-new", tickets: 20, max_usd: 50 };
type Bench = ReturnType<typeof createActionBench>;

async function evaluate(bench: Bench, action: BoundAction, idempotencyKey = "key-1"): Promise<ActionResult> {
  const plan = await action.plan(bench.context());
  let progress: Json | undefined;
  for (let look = 0; look < 50; look += 1) {
    const result = await action.run(plan, bench.context({ progress, idempotencyKey }));
    if (result.kind !== "continue") return result;
    progress = result.progress;
    await bench.clock.advance(result.afterMs);
  }
  throw new Error("It comes to no end.");
}

/** The action with another evaluator. */
function withEvaluator(bench: Bench, evaluator: ActionPorts["evaluator"], change: { readonly [key: string]: Json } = {}): BoundAction {
  const bound = createActions({ ...bench.ports, evaluator })
    .find("evaluate-candidate")
    ?.bind({ ...parameters, ...change });
  if (bound?.ok !== true) throw new Error("It cannot be bound.");
  return bound.action;
}

/** An evaluator that answers this once it is asked how far it is. */
function answering(state: (ticketIds: readonly string[]) => EvaluationState) {
  const calls: string[] = [];
  let tickets: readonly string[] = [];
  const evaluator: Evaluator = {
    async start({ ticketIds = [], maxMicroUsd }, key) {
      calls.push(`start ${key} ${ticketIds.length} ${maxMicroUsd}`);
      tickets = ticketIds;
      return { id: "e-1" };
    },
    async read(id) {
      calls.push(`read ${id}`);
      return state(tickets);
    },
    stop: async (id) => void calls.push(`stop ${id}`),
  };
  return { evaluator, calls };
}

const pairsOf = (ticketIds: readonly string[], candidate: { readonly quality?: number; readonly costMicroUsd?: number } = {}) =>
  ticketIds.map((ticketId) => ({
    ticketId,
    baseline: { quality: 1, costMicroUsd: 100 },
    candidate: { quality: 1, costMicroUsd: 50, ...candidate },
  }));

describe("evaluate-candidate", () => {
  it("has past tickets worked on with both models, and keeps the pairs for the comparison", async () => {
    const bench = createActionBench();
    const output = outputOf(await evaluate(bench, bench.bind("evaluate-candidate", parameters)));
    expect(output).toMatchObject({
      route: "implement",
      from: "anthropic/claude-old",
      to: "anthropic/claude-new",
      tickets: 20,
      strata: 3,
      pairs: 20,
      cost_usd: 3,
      capped: false,
      by: "evaluator",
    });
    const compare = bench.bind("compare-candidate", { evaluation: output["evaluation"] ?? "" });
    expect(outputOf(await compare.run(await compare.plan(bench.context()), bench.context()))).toMatchObject({ pairs: 20, difference: 0 });
    expect(bench.acts).toEqual(["route/implement: 20 tickets are worked on with anthropic/claude-old and anthropic/claude-new"]);
  });

  it("shows a person which tickets, for how much, before anything is spent", async () => {
    const bench = createActionBench();
    const plan = await bench.bind("evaluate-candidate", parameters).plan(bench.context());
    expect(plan).toMatchObject({
      summary:
        "Work on 20 past tickets of route implement with anthropic/claude-old and anthropic/claude-new, for at most $50.00; they have cost $2.00 before",
      targets: ["route/implement"],
    });
    expect(Object(plan.data).tickets).toHaveLength(20);
    expect(bench.acts).toEqual([]);
  });

  it("starts nothing twice after a crash, whatever came in between", async () => {
    const bench = createActionBench();
    const action = bench.bind("evaluate-candidate", parameters);
    const plan = await action.plan(bench.context());
    await action.run(plan, bench.context());
    bench.route.tickets = 300;
    await action.run(plan, bench.context());
    expect(bench.acts).toHaveLength(1);
  });

  it.each([
    ["same_model", "anthropic/claude-old", {}, "goes to anthropic/claude-old already"],
    ["unknown", "openai/gpt-9", {}, "knows openai/gpt-9"],
    ["retired", "anthropic/claude-new", { lifecycle: "retired" }, "is retired"],
    ["unpriced", "anthropic/claude-new", { priced: false }, "no price"],
  ] as const)("refuses a candidate that is %s, and spends nothing", async (_what, to, change, named) => {
    const bench = createActionBench();
    bench.models.splice(1, 1, aSimulatedModel(change));
    await expect(bench.bind("evaluate-candidate", { ...parameters, to }).plan(bench.context())).rejects.toMatchObject({
      failure: { reason: "refused_by_target", applied: "no", message: expect.stringContaining(named) },
    });
  });

  it("refuses a route that is not there, one with too few tickets, and a name that is none", async () => {
    const bench = createActionBench();
    await expect(bench.bind("evaluate-candidate", { ...parameters, route: "x" }).plan(bench.context())).rejects.toThrow("no route x");
    bench.route.tickets = 9;
    await expect(bench.bind("evaluate-candidate", parameters).plan(bench.context())).rejects.toThrow("9 past tickets are known");
    for (const wrong of [{ to: "gpt" }, { to: "" }, { tickets: 9 }, { max_usd: 0 }, { max_usd: -1 }])
      expect(bench.actions.find("evaluate-candidate")?.bind({ ...parameters, ...wrong })).toMatchObject({ ok: false });
  });

  it("stops an evaluation that costs too much, and what it found shows nothing", async () => {
    const bench = createActionBench();
    const { evaluator, calls } = answering(() => ({ kind: "running", done: 7, of: 20, costMicroUsd: 50_000_001 }));
    const action = withEvaluator(bench, evaluator);
    const output = outputOf(await evaluate(bench, action));
    expect(output).toMatchObject({ capped: true, pairs: 7, cost_usd: 50.000001 });
    expect(calls).toEqual(["start key-1 20 50000000", "read e-1", "stop e-1"]);
    const compare = bench.bind("compare-candidate", { evaluation: output["evaluation"] ?? "" });
    expect(outputOf(await compare.run(await compare.plan(bench.context()), bench.context()))).toMatchObject({ verdict: "inconclusive" });
  });

  it.each([
    ["stopped by itself", (ids: readonly string[]): EvaluationState => ({ kind: "stopped", pairs: pairsOf(ids) })],
    [
      "tells in the end that it cost more",
      (ids: readonly string[]): EvaluationState => ({ kind: "done", pairs: pairsOf(ids), costMicroUsd: 50_000_001 }),
    ],
    [
      "cost more by its pairs",
      (ids: readonly string[]): EvaluationState => ({ kind: "done", pairs: pairsOf(ids, { costMicroUsd: 2_500_000 }) }),
    ],
  ])("takes an evaluation for nothing that %s", async (_how, state) => {
    const bench = createActionBench();
    expect(outputOf(await evaluate(bench, withEvaluator(bench, answering(state).evaluator)))).toMatchObject({ capped: true, pairs: 20 });
  });

  it.each([
    ["a ticket twice", (ids: readonly string[]) => pairsOf([...ids, ids[0] ?? ""]), "is there twice"],
    ["a ticket that was not asked for", (ids: readonly string[]) => pairsOf([...ids, "other"]), "ticket other was not asked for"],
    ["a quality of 7", (ids: readonly string[]) => pairsOf(ids, { quality: 7 }), "quality 7"],
    ["a quality that is no number", (ids: readonly string[]) => pairsOf(ids, { quality: Number.NaN }), "quality NaN"],
    ["a negative cost", (ids: readonly string[]) => pairsOf(ids, { costMicroUsd: -1 }), "costMicroUsd -1"],
  ])("refuses pairs with %s, and keeps none of them", async (_what, pairs, named) => {
    const bench = createActionBench();
    const { evaluator } = answering((ids) => ({ kind: "done", pairs: pairs(ids) }));
    const put: string[] = [];
    const evaluations = { ...bench.ports.evaluations, put: async ({ id }: { readonly id: string }) => void put.push(id) };
    const action = withEvaluator({ ...bench, ports: { ...bench.ports, evaluations } }, evaluator);
    await expect(evaluate(bench, action)).rejects.toMatchObject({
      failure: { reason: "refused_by_target", message: expect.stringContaining(named) },
    });
    expect(put).toEqual([]);
  });

  it("has our own evaluator work on code tickets without an application's, and only where it can", async () => {
    const bench = createActionBench();
    const { evaluator, calls } = answering((ids) => ({ kind: "done", pairs: pairsOf(ids) }));
    const own = (can: boolean, theirs?: ActionPorts["evaluator"]) => {
      const stagedEvaluators = { open: async () => (can ? evaluator : undefined) };
      return withEvaluator({ ...bench, ports: { ...bench.ports, stagedEvaluators } }, theirs);
    };
    expect(outputOf(await evaluate(bench, own(true)))).toMatchObject({ pairs: 20, by: "evaluator" });
    expect(calls).toHaveLength(2);
    expect(await evaluate(bench, own(false))).toMatchObject({ kind: "ask" });
    await evaluate(bench, own(true, answering((ids) => ({ kind: "done", pairs: pairsOf(ids) })).evaluator), "key-2");
    expect(calls).toHaveLength(2);
  });

  it("fails with the evaluator's reason", async () => {
    const bench = createActionBench();
    const { evaluator } = answering(() => ({ kind: "failed", reason: "no such route" }));
    await expect(evaluate(bench, withEvaluator(bench, evaluator))).rejects.toThrow("The evaluation failed: no such route");
  });

  it("asks a person when there is no evaluator, and names the command and the tickets", async () => {
    const bench = createActionBench();
    const action = withEvaluator(bench, undefined);
    const asked = await evaluate(bench, action);
    expect(asked).toMatchObject({ kind: "ask", answers: ["pass", "worse", "dear"], question: expect.stringContaining("EVALUATOR_URL") });
    expect(asked).toMatchObject({
      question: expect.stringMatching(/20 past tickets.*They are implement-\d+, .*"runbookd runs show run-1 --json"/),
    });
    const plan = await action.plan(bench.context());
    for (const [answer, verdict] of [
      ["dear", "dear"],
      ["pass", "pass"],
    ] as const) {
      const output = outputOf(await action.run(plan, bench.context({ answer, idempotencyKey: answer })));
      expect(output).toMatchObject({ by: "person", pairs: 0, cost_usd: 0, capped: false });
      const compare = bench.bind("compare-candidate", { evaluation: output["evaluation"] ?? "" });
      expect(outputOf(await compare.run(await compare.plan(bench.context()), bench.context()))).toMatchObject({ verdict, by: "person" });
    }
  });
});

describe("compare-candidate", () => {
  const comparisonOf = async (change: Partial<Bench["route"]>, limits: { readonly [key: string]: Json } = {}) => {
    const bench = createActionBench();
    Object.assign(bench.route, change);
    const { evaluation = "" } = outputOf(await evaluate(bench, bench.bind("evaluate-candidate", { ...parameters, tickets: 100 })));
    const compare = bench.bind("compare-candidate", { evaluation, ...limits });
    return outputOf(await compare.run(await compare.plan(bench.context()), bench.context()));
  };

  it.each([
    ["pass", {}, {}],
    ["worse", { worseAnswers: 20 }, {}],
    ["inconclusive", { worseAnswers: 12, badAnswers: 6 }, {}],
    ["pass", { worseAnswers: 8 }, { margin: 0.2 }],
    ["dear", { costRatio: 1.5 }, {}],
    ["pass", { costRatio: 1.5 }, { max_cost_ratio: 2 }],
    ["inconclusive", { badAnswers: 100, worseAnswers: 100 }, {}],
  ])("says %s for a candidate with %j and limits %j", async (verdict, change, limits) => {
    expect(await comparisonOf(change, limits)).toMatchObject({ verdict, pairs: 100, by: "evaluator" });
  });

  it("tells what it rests on", async () => {
    expect(await comparisonOf({ worseAnswers: 20 })).toMatchObject({
      from: "anthropic/claude-old",
      to: "anthropic/claude-new",
      difference: -0.2,
      lower: expect.any(Number),
      upper: expect.any(Number),
      discordant: 0.2,
      needed: expect.any(Number),
      cost_ratio: 0.5,
      cost_ratio_upper: expect.any(Number),
      cold_cost_usd: 0,
      refusals: { baseline: 0, candidate: 0 },
    });
  });

  it("refuses an evaluation that is not there", async () => {
    const bench = createActionBench();
    const compare = bench.bind("compare-candidate", { evaluation: "e-7" });
    await expect(compare.run(await compare.plan(bench.context()), bench.context())).rejects.toMatchObject({
      failure: { reason: "refused_by_target", message: expect.stringContaining("no evaluation e-7") },
    });
  });
});
