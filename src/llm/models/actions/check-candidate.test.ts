import { describe, expect, it } from "@jest/globals";
import { aSimulatedModel, createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { dayMs } from "../../../core/duration.ts";

async function check(bench: ReturnType<typeof createActionBench>, to = "anthropic/claude-new", answer?: string) {
  const action = bench.bind("check-candidate", { route: "implement", to });
  return action.run(await action.plan(bench.context()), bench.context({ answer }));
}

describe("check-candidate", () => {
  it("says of a model that fits what it rests on", async () => {
    expect(outputOf(await check(createActionBench()))).toEqual({
      route: "implement",
      from: "anthropic/claude-old",
      to: "anthropic/claude-new",
      fit: true,
      reasons: [],
      lifecycle: "active",
      said_by: "provider",
      said_on: "2026-01-05",
      context_tokens: 200_000,
      largest_request: 50_000,
      features: ["tools"],
      requests: 1000,
      sentence: "anthropic/claude-new can do what 1000 requests of route implement to anthropic/claude-old used.",
    });
  });

  it.each([
    ["retired", { lifecycle: "retired", retiresInMs: -dayMs }, { lifecycle: "retired", retires_at: "2026-01-04" }],
    ["deprecated", { lifecycle: "deprecated", retiresInMs: dayMs }, { retires_at: "2026-01-06" }],
    ["unpriced", { priced: false }, {}],
    ["context_too_small", { contextTokens: 10_000 }, { context_tokens: 10_000 }],
    ["feature_missing", { features: [] }, {}],
  ] as const)("names what is wrong with a candidate: %s", async (reason, change, more) => {
    const bench = createActionBench();
    bench.models.splice(1, 1, aSimulatedModel(change));
    expect(outputOf(await check(bench))).toMatchObject({ fit: false, reasons: [reason], ...more });
  });

  it("refuses the model that the route has, one that nobody knows, and a route that is not there", async () => {
    const bench = createActionBench();
    expect(outputOf(await check(bench, "anthropic/claude-old"))).toMatchObject({ fit: false, reasons: ["same_model"] });
    expect(outputOf(await check(bench, "openai/gpt-9"))).toMatchObject({
      fit: false,
      reasons: ["unknown_model", "unpriced", "context_unknown", "feature_unknown"],
      lifecycle: "unknown",
      said_by: "none",
    });
    const action = bench.bind("check-candidate", { route: "no-such", to: "a/b" });
    await expect(action.run(await action.plan(bench.context()), bench.context())).rejects.toMatchObject({
      failure: { reason: "refused_by_target", message: "There is no route no-such; GET /api/routes lists them.", applied: "no" },
    });
    for (const to of ["claude-new", "/x", "a/"])
      expect(bench.actions.find("check-candidate")?.bind({ route: "implement", to })).toMatchObject({
        ok: false,
        issues: [expect.stringContaining("<provider>/<model>")],
      });
  });

  it("lets a person pick one of those that fit, the recommended one first", async () => {
    const bench = createActionBench();
    bench.models.splice(0, 2, aSimulatedModel({ model: "claude-old", replacement: { provider: "openai", model: "z" } }));
    bench.models.push(aSimulatedModel({ provider: "aaa", model: "b" }), aSimulatedModel({ provider: "openai", model: "z" }));
    bench.models.push(aSimulatedModel(), aSimulatedModel({ model: "dead", lifecycle: "retired" }));
    bench.models.push(aSimulatedModel({ model: "with-a-name-that-does-not-fit-into-an-answer" }));
    expect(await check(bench, "")).toMatchObject({
      kind: "ask",
      question: expect.stringContaining("take over route implement from anthropic/claude-old"),
      answers: ["openai/z", "anthropic/claude-new", "aaa/b", "none"],
    });
    expect(outputOf(await check(bench, "", "openai/z"))).toMatchObject({ to: "openai/z", fit: true });
    expect(outputOf(await check(bench, "", "none"))).toEqual({
      route: "implement",
      from: "anthropic/claude-old",
      fit: false,
      reasons: ["none_picked"],
      sentence: "No model was picked.",
    });
  });
});
