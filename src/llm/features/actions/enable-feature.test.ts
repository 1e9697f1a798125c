import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { aSecurityIncident, aSimulatedFeature, aSimulatedFinding } from "../../../../test/builders/a-security-incident.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState, createFakeBudgetControl } from "../../../../test/fakes/fake-budget-control.ts";
import { createFakeClock } from "../../../../test/fakes/fake-clock.ts";
import { createActions } from "../../../app/action-registry.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import type { Journal } from "../../../core/journal.ts";
import { createSimulatedFeatures } from "../../../rehearsal/simulated-features.ts";
import { createSimulatedPrompts } from "../../../rehearsal/simulated-prompts.ts";
import { createSimulatedRollouts } from "../../../rehearsal/simulated-rollouts.ts";
import { createSimulatedRoutes } from "../../../rehearsal/simulated-routes.ts";

/** A feature that its run has switched off, with tickets that a flag decides about. */
async function aContainedFeature(incident: Parameters<typeof aSecurityIncident>[0] = {}, earlier = { target: "feature/export" }) {
  const bench = createActionBench(aBudgetState("checkout"));
  const clock = createFakeClock(bench.clock.now());
  const effects: string[] = [];
  const written = aSecurityIncident(incident);
  const { answer: _answer, followers, ...features } = createSimulatedFeatures(written, clock, (line) => void effects.push(line));
  const budgets = createFakeBudgetControl(aBudgetState("checkout"));
  const world = {
    written: { prompts: [], routes: [] },
    prompts: createSimulatedPrompts([], clock, () => undefined),
    routes: createSimulatedRoutes({ routes: [], models: [] }, clock, () => undefined),
  };
  const rollouts = createSimulatedRollouts({ ...world, features: written.features, flags: { flags: features.flags, followers } }, clock);
  const request = { runbookId: "security-incident", runbookSha: "0", mode: "auto", params: {}, source: "webhook", ...earlier } as const;
  const journal: Journal = [{ kind: "accepted", at: clock.now(), runId: "run-0", request }];
  const readJournal = async (id: string) => (id === "run-0" ? journal : undefined);
  const ports = { ...bench.ports, ...features, ...rollouts, budgets, readJournal };
  const about = { runbookId: "security-incident", target: "feature/export" };
  const context = (change: Partial<ActionContext> = {}) => bench.context({ clock, ...about, ...change });
  function bind(name: string, parameters: { readonly [key: string]: Json }) {
    const bound = createActions(ports).find(name)?.bind(parameters);
    if (bound?.ok !== true) throw new Error(JSON.stringify(bound));
    return bound.action;
  }
  for (const name of ["assess-severity", "disable-feature"]) {
    const action = bind(name, { feature: "export" });
    await action.run(await action.plan(context()), context());
  }
  effects.splice(0);
  await clock.advance(60_000);

  /** Calls the action until it is done or asks, as the engine would. */
  async function carryOut(
    change: { readonly onShare?: (share: number) => Promise<void>; readonly crashes?: boolean; readonly guards?: string[] } = {},
  ): Promise<ActionResult> {
    const action = bind("enable-feature", { feature: "export", every: "1h", guards: change.guards ?? [] });
    const plan = await action.plan(context());
    let progress: ActionContext["progress"];
    let share = 0;
    for (let calls = 0; calls < 500; calls += 1) {
      if (change.crashes === true) await action.run(plan, context({ progress }));
      const result = await action.run(plan, context({ progress }));
      const flag = await ports.flags.read("export");
      const now = flag?.rollout?.share ?? 0;
      if (now !== share) await change.onShare?.((share = now));
      if (result.kind !== "continue") return result;
      ({ progress } = result);
      await clock.advance(result.afterMs);
    }
    throw new Error("It came to no end.");
  }
  return { ports, clock, effects, budgets, context, bind, carryOut, world: bench.world };
}

const guard = 'llm_attack_replay_hits{feature="export"} > 0';

const shares = [
  "off -> on",
  "default on -> off",
  "share none -> 10 % on",
  "share 10 % on -> 50 % on",
  "share 50 % on -> 100 % on",
  "default off -> on",
  "share 100 % on -> none",
];

describe("enable-feature", () => {
  it.each([false, true])(
    "gives the feature back in steps and opens the gates that its run has closed (each call twice: %s)",
    async (crashes) => {
      const bench = await aContainedFeature();
      expect(bench.budgets.of("checkout").state.controls.gate).toBe("paused");
      const result = outputOf(await bench.carryOut({ crashes }));
      expect(result).toMatchObject({ feature: "export", flag: "export", share: 1, enabled: true, closed: [] });
      expect(bench.effects).toEqual(shares.map((line) => `flag/export: ${line}`));
      expect(bench.budgets.of("checkout").state.controls.gate).toBe("open");
      expect(await bench.ports.flags.read("export")).toMatchObject({ state: "on", defaultVariant: "on", rollout: null });
    },
  );

  it("says before what it will change", async () => {
    const bench = await aContainedFeature();
    expect(await bench.bind("enable-feature", { feature: "export" }).plan(bench.context())).toMatchObject({
      targets: ["feature/export"],
      changes: [
        { target: "flag/export", field: "state", before: "off", after: "on" },
        { target: "flag/export", field: "share of on", after: "10 %, 50 %, 100 %" },
        { target: "budget/checkout", field: "gate", before: "paused", after: "open" },
      ],
    });
  });

  it("switches it off again when a finding comes while the share grows", async () => {
    const findings = [aSimulatedFinding(), aSimulatedFinding({ ref: "2", afterMs: 100 * 60_000, title: "Again" })];
    const bench = await aContainedFeature({ findings });
    const result = outputOf(await bench.carryOut());
    expect(result).toMatchObject({ share: 0, enabled: false, reason: expect.stringContaining('"Again"') });
    expect(await bench.ports.flags.read("export")).toMatchObject({ state: "off", rollout: null });
    expect(bench.budgets.of("checkout").state.controls.gate).toBe("paused");
  });

  it("switches it off again when a source opens a fixed finding again while the share grows", async () => {
    const of = (state: "open" | "fixed", minutes: number) => aSimulatedFinding({ state, afterMs: minutes * 60_000 });
    const bench = await aContainedFeature({ findings: [aSimulatedFinding(), of("fixed", 30), of("open", 100)] });
    const result = outputOf(await bench.carryOut());
    expect(result).toMatchObject({ share: 0, enabled: false, reason: expect.stringContaining("opened again") });
    expect(await bench.ports.flags.read("export")).toMatchObject({ state: "off", rollout: null });
  });

  it("does not let the share grow while it cannot be read whether a finding was opened again", async () => {
    const bench = await aContainedFeature();
    const result = await bench.carryOut({
      async onShare(share) {
        if (share === 0.5) bench.ports.securityFindings.events = async () => Promise.reject(new Error("The store is away."));
      },
    });
    expect(result).toMatchObject({ kind: "ask", answers: ["wait", "take_back"] });
    expect(await bench.ports.flags.read("export")).toMatchObject({ rollout: { share: 0.5 } });
  });

  it("switches it off again when its tickets fail more often than those without it", async () => {
    const bench = await aContainedFeature({ features: [aSimulatedFeature({ quality: 0.5 })] });
    expect(outputOf(await bench.carryOut())).toMatchObject({ share: 0, enabled: false });
    expect(await bench.ports.flags.read("export")).toMatchObject({ state: "off" });
  });

  it("is over when its flag is switched off meanwhile, also by its own run", async () => {
    const bench = await aContainedFeature();
    const result = await bench.carryOut({
      async onShare(share) {
        if (share !== 0.5) return;
        const change = { key: "export", state: "off", by: "run:run-1", reason: "contained again" } as const;
        await bench.ports.flagSwitches.runbookd.setState(change);
      },
    });
    expect(outputOf(result)).toMatchObject({ share: 0, enabled: false, reason: expect.stringContaining("contained again") });
  });

  it("asks a person while no ticket shows anything", async () => {
    const bench = await aContainedFeature({ features: [aSimulatedFeature({ ticketsPerMinute: 0 })] });
    expect(await bench.carryOut()).toMatchObject({ kind: "ask", answers: ["wait", "take_back"] });
    expect(await bench.ports.flags.read("export")).toMatchObject({ rollout: { share: 0.1 } });
  });

  it("does not begin where a finding was dismissed", async () => {
    const findings = [aSimulatedFinding({ state: "dismissed" })];
    const bench = await aContainedFeature({ findings });
    const action = bench.bind("enable-feature", { feature: "export" });
    await expect(action.plan(bench.context())).rejects.toMatchObject({
      failure: { reason: "refused_by_target", message: expect.stringContaining("stays off") },
    });
  });

  it("leaves a gate closed that somebody else has closed, and says so", async () => {
    const bench = await aContainedFeature();
    bench.budgets.set("checkout", { gate: "paused", by: "anna", reason: "the month is over" });
    const result = outputOf(await bench.carryOut());
    expect(result).toMatchObject({ closed: ["Budget checkout is paused by anna, and not by this incident: the month is over"] });
    expect(bench.budgets.of("checkout").state.controls.gate).toBe("paused");
  });

  it.each([
    ["feature/export", "open"],
    ["feature/search", "paused"],
  ])("opens a gate that an earlier run has closed when that was about the same feature (%s: %s)", async (target, gate) => {
    const bench = await aContainedFeature({}, { target });
    bench.budgets.set("checkout", { gate: "paused", by: "run:run-0", reason: "contained" });
    await bench.carryOut();
    expect(bench.budgets.of("checkout").state.controls.gate).toBe(gate);
  });

  it("takes nothing from a feature that was never switched off", async () => {
    const bench = await aContainedFeature({ findings: [] });
    expect(outputOf(await bench.carryOut())).toMatchObject({ share: 1, enabled: true, reason: "Every ticket has it already." });
    expect(bench.effects).toEqual([]);
  });

  it("asks a person to switch several flags on, and looks whether they are", async () => {
    const bench = await aContainedFeature({ features: [aSimulatedFeature({ flags: ["export", "export-page"] })] });
    const action = bench.bind("enable-feature", { feature: "export" });
    const plan = await action.plan(bench.context());
    expect(await action.run(plan, bench.context())).toMatchObject({ kind: "ask", answers: ["enabled", "leave_off"] });
    const said = outputOf(await action.run(plan, bench.context({ answer: "enabled" })));
    expect(said).toMatchObject({ share: 0, enabled: false, reason: expect.stringContaining("flag export is off") });
    expect(bench.effects).toEqual([]);
  });

  it("is undone by what contains the feature", async () => {
    const bench = await aContainedFeature();
    const action = bench.bind("enable-feature", { feature: "export" });
    const plan = await action.plan(bench.context());
    await action.run(plan, bench.context());
    expect(await bench.ports.flags.read("export")).toMatchObject({ state: "on" });
    await action.undo?.(plan, {}, bench.context());
    expect(await bench.ports.flags.read("export")).toMatchObject({ state: "off", rollout: null });
    expect(bench.budgets.of("checkout").state.controls.gate).toBe("paused");
  });

  it("waits with everything off while a guard speaks against it, and begins when that is over", async () => {
    const bench = await aContainedFeature();
    const since = bench.clock.now();
    const meanwhile = new Set<string>();
    bench.world.prometheus = (query) => {
      const isHit = query === guard && bench.clock.now() < since + 120 * 60_000;
      if (isHit) for (const one of [bench.budgets.of("checkout").state.controls.gate, ...bench.effects]) meanwhile.add(one);
      const samples = isHit || query.startsWith("count(") ? [{ labels: {}, value: 1, at: bench.clock.now() }] : [];
      return { kind: "samples", samples, warnings: [] };
    };
    const begun: number[] = [];
    const onShare = async () => void begun.push(bench.clock.now() - since);
    expect(outputOf(await bench.carryOut({ guards: [guard], onShare }))).toMatchObject({ enabled: true });
    expect(begun[0]).toBeGreaterThanOrEqual(120 * 60_000);
    expect([...meanwhile]).toEqual(["paused"]);
  });

  it("leaves the feature off when a guard speaks against it for six steps", async () => {
    const bench = await aContainedFeature();
    bench.world.prometheus = () => ({ kind: "samples", samples: [{ labels: {}, value: 1, at: bench.clock.now() }], warnings: [] });
    await expect(bench.carryOut({ guards: [guard] })).rejects.toMatchObject({
      failure: { reason: "refused_by_target", message: expect.stringContaining("stays off: this query must return nothing") },
    });
    expect(bench.effects).toEqual([]);
    expect(bench.budgets.of("checkout").state.controls.gate).toBe("paused");
  });

  it("takes the feature back when an attack works while the share grows", async () => {
    const bench = await aContainedFeature();
    let hits = false;
    bench.world.prometheus = (query) => {
      const samples = query.startsWith("count(") || hits ? [{ labels: {}, value: 1, at: bench.clock.now() }] : [];
      return { kind: "samples", samples, warnings: [] };
    };
    const onShare = async (share: number) => void (hits = share >= 0.5);
    expect(outputOf(await bench.carryOut({ guards: [guard], onShare }))).toMatchObject({ enabled: false, share: 0 });
    expect(await bench.ports.flags.read("export")).toMatchObject({ state: "off" });
  });
});
