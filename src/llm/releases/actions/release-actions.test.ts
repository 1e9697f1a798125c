import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { aSecurityIncident, aSimulatedFeature } from "../../../../test/builders/a-security-incident.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState } from "../../../../test/fakes/fake-budget-control.ts";
import { createActions } from "../../../app/action-registry.ts";
import type { ActionContext, ActionResult, BoundAction } from "../../../core/action.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { SimulatedRelease } from "../../../rehearsal/rehearsal.ts";
import { createSimulatedDeployments } from "../../../rehearsal/simulated-deployments.ts";
import { createSimulatedFeatures } from "../../../rehearsal/simulated-features.ts";

const fix = "b".repeat(40);
/** What runs before. */
const simulatedRelease = "a".repeat(40);

/** One feature whose tests and deployments end as the change says; `effects` hears what changes. */
function aBench(change: Partial<SimulatedRelease> = {}) {
  const bench = createActionBench(aBudgetState("checkout"));
  const release = { ...aSimulatedFeature().release, ...change };
  const incident = aSecurityIncident({ features: [aSimulatedFeature({ release })] });
  const effects: string[] = [];
  const changed = (line: string) => void effects.push(line);
  const { answer: _answer, ...features } = createSimulatedFeatures(incident, bench.clock, changed);
  const deployments = createSimulatedDeployments(incident.features, () => simulatedRelease, changed);
  const ports = { ...bench.ports, ...features, ...deployments };
  function bind(name: string, parameters: { readonly [key: string]: Json }, over: Partial<typeof ports> = {}): BoundAction {
    const bound = createActions({ ...ports, ...over })
      .find(name)
      ?.bind(parameters);
    if (bound?.ok !== true) throw new Error(JSON.stringify(bound));
    return bound.action;
  }
  /** Calls the action until it is done, as the engine would; `crashes`: each call happens twice, the first time without its answer. */
  async function carryOut(action: BoundAction, crashes = false): Promise<ActionResult> {
    const plan = await action.plan(bench.context());
    let progress: ActionContext["progress"];
    for (let calls = 0; calls < 200; calls += 1) {
      const context = bench.context({ progress });
      if (crashes) await action.run(plan, context);
      const result = await action.run(plan, context);
      if (result.kind !== "continue") return result;
      ({ progress } = result);
      await bench.clock.advance(result.afterMs);
    }
    throw new Error("It came to no end.");
  }
  return { ...bench, ports, effects, bind, carryOut };
}

describe("run-tests", () => {
  const parameters = { feature: "export", sha: fix, base_sha: simulatedRelease };

  it("tests exactly the commit, and the one before to compare", async () => {
    const bench = aBench();
    const result = outputOf(await bench.carryOut(bench.bind("run-tests", parameters)));
    expect(result).toMatchObject({ sha: fix, passed: 6, failed: 0, skipped: 0, base_sha: simulatedRelease, base_passed: 4, base_tests: 6 });
  });

  it.each([
    ["fails", { passed: 5, failed: 1, skipped: 0 }],
    ["runs no test", { passed: 0, failed: 0, skipped: 6 }],
  ])("does not look at the commit before when the fix %s", async (_what, counts) => {
    const tests = { ...aSimulatedFeature().release.tests, fix: counts };
    const bench = aBench({ tests });
    const result = outputOf(await bench.carryOut(bench.bind("run-tests", parameters)));
    expect(result).toMatchObject({ ...counts, base_sha: "", base_passed: -1, base_tests: -1 });
  });

  it("says which commit was tested, and not which was asked for", async () => {
    const bench = aBench({ tests: { ...aSimulatedFeature().release.tests, otherCommit: true } });
    expect(outputOf(await bench.carryOut(bench.bind("run-tests", parameters)))).toMatchObject({ sha: "e".repeat(40) });
  });

  it("compares with no other commit than the one before", async () => {
    const bench = aBench();
    const testRunner = {
      test: async (_feature: unknown, sha: string) =>
        ({
          kind: "done",
          result: { sha: sha === fix ? fix : "d".repeat(40), passed: sha === fix ? 1 : 0, failed: 0, skipped: 0 },
        }) as const,
    };
    await expect(bench.carryOut(bench.bind("run-tests", parameters, { testRunner }))).rejects.toMatchObject({
      failure: { message: expect.stringContaining("ran on dddddddddddd") },
    });
  });

  it("begins the tests of one commit once when a call gets no answer, and gives up in the end", async () => {
    const bench = aBench();
    const keys: string[] = [];
    const failure = new StepFailure({ reason: "unknown_outcome", message: "The connection broke.", applied: "unknown" });
    const testRunner = {
      test: async (_feature: unknown, _sha: string, { key }: { readonly key: string }): Promise<never> => {
        keys.push(key);
        throw failure;
      },
    };
    await expect(bench.carryOut(bench.bind("run-tests", parameters, { testRunner }))).rejects.toBe(failure);
    expect(keys).toEqual(["key-1", "key-1", "key-1"]);
  });

  it("waits for the end of a limit before anything was begun, and then tests the commit once", async () => {
    const bench = aBench();
    const calls: number[] = [];
    const { testRunner } = bench.ports;
    const limited = {
      test: async (...request: Parameters<typeof testRunner.test>) => {
        calls.push(bench.clock.now());
        if (calls.length > 1) return testRunner.test(...request);
        throw new StepFailure({ reason: "overloaded", message: "GitHub limits our requests.", applied: "no", retryAfterMs: 90_000 });
      },
    };
    const result = outputOf(await bench.carryOut(bench.bind("run-tests", parameters, { testRunner: limited })));
    expect(result).toMatchObject({ sha: fix, passed: 6, base_passed: 4 });
    expect((calls[1] ?? 0) - (calls[0] ?? 0)).toBe(90_000);
  });

  it("refuses a feature without tests", async () => {
    const bench = aBench();
    const features = bench.ports.features.map(({ tests: _tests, ...feature }) => feature);
    const action = bench.bind("run-tests", parameters, { features });
    await expect(action.plan(bench.context())).rejects.toMatchObject({ failure: { reason: "invalid_parameters" } });
  });
});

describe("deploy-release", () => {
  const parameters = { feature: "export", sha: fix };

  it("plans from the release that runs to the commit", async () => {
    const bench = aBench();
    expect(await bench.bind("deploy-release", parameters).plan(bench.context())).toMatchObject({
      targets: ["feature/export"],
      changes: [{ target: "feature/export", field: "release", before: simulatedRelease, after: fix }],
    });
  });

  it.each([false, true])("deploys once and shows it by new processes (each call twice: %s)", async (crashes) => {
    const bench = aBench();
    const result = outputOf(await bench.carryOut(bench.bind("deploy-release", parameters), crashes));
    expect(result).toMatchObject({ deployed: true, sha: fix, current: 3, processes: 3, new_processes: 3, put_back: false, gaps: [] });
    expect(bench.effects).toEqual(["feature/export: 3 of 3 processes run bbbbbbbbbbbb"]);
  });

  it.each([false, true])("puts the release before back when a process does not come up (each call twice: %s)", async (crashes) => {
    const bench = aBench({ up: 2 });
    const result = outputOf(await bench.carryOut(bench.bind("deploy-release", parameters), crashes));
    expect(result).toMatchObject({ deployed: false, current: 0, processes: 3, put_back: true });
    expect(result["reason"]).toContain("Every process runs aaaaaaaaaaaa again.");
    expect(bench.effects).toEqual([
      "feature/export: 2 of 3 processes run bbbbbbbbbbbb",
      "feature/export: 3 of 3 processes run aaaaaaaaaaaa",
    ]);
  });

  it("says that the release before did not come back", async () => {
    const bench = aBench({ up: 1, putBack: false });
    const result = outputOf(await bench.carryOut(bench.bind("deploy-release", parameters)));
    expect(result).toMatchObject({ deployed: false, current: 1, put_back: false });
    expect(result["reason"]).toContain("The release before did not come back");
  });

  it("is not content with processes that fall over and are started again and again", async () => {
    const bench = aBench({ steady: false });
    const result = outputOf(await bench.carryOut(bench.bind("deploy-release", parameters)));
    expect(result).toMatchObject({ deployed: false, put_back: true });
    expect(result["reason"]).toContain("the look before saw other ones");
  });

  it("does not take an old process among new ones, or a page in its place, for the release", async () => {
    for (const one of [{ instance: "export-3", sha: simulatedRelease }, {}]) {
      const bench = aBench();
      const { deployer } = bench.ports;
      const withOne = {
        ...deployer,
        async readVersions(...call: Parameters<typeof deployer.readVersions>) {
          const versions = await deployer.readVersions(...call);
          return versions.map((version, index) => (index < 2 || version.sha !== fix ? version : { url: version.url, ...one }));
        },
      };
      const result = outputOf(await bench.carryOut(bench.bind("deploy-release", parameters, { deployer: withOne })));
      expect(result).toMatchObject({ deployed: false, processes: 3, put_back: true });
      expect(result["reason"]).toContain("2 of 3 processes run the new release");
    }
  });

  it("calls nothing deployed that its deployer failed to deploy, where nothing can be put back", async () => {
    const bench = aBench();
    const { deployer } = bench.ports;
    const failing = {
      ...deployer,
      async deploy(...[feature, sha, call]: Parameters<typeof deployer.deploy>): Promise<never> {
        await deployer.deploy(feature, sha, call);
        throw new StepFailure({ reason: "refused_by_target", message: "It ended with status 1.", applied: "unknown" });
      },
    };
    const action = bench.bind("deploy-release", parameters, { deployer: failing });
    const plan = await action.plan(bench.context());
    const uncertain = { ...action, plan: async () => ({ ...plan, data: { previous: "" } }) };
    const output = outputOf(await bench.carryOut(uncertain));
    expect(output).toMatchObject({ deployed: false, current: 3, new_processes: 3, put_back: false });
    expect(await action.probe?.(plan, bench.context({ results: { step: output } }))).toMatchObject({ output: { deployed: false } });
  });

  it("is not content with a process that was not started anew", async () => {
    const bench = aBench({ restarts: false });
    const result = outputOf(await bench.carryOut(bench.bind("deploy-release", parameters)));
    expect(result).toMatchObject({ deployed: false, put_back: true });
  });

  it("puts back what a deployer that failed has changed", async () => {
    const bench = aBench({ up: 3 });
    const { deployer } = bench.ports;
    const failing = {
      ...deployer,
      async deploy(...[feature, sha, call]: Parameters<typeof deployer.deploy>) {
        const result = await deployer.deploy(feature, sha, call);
        if (sha === simulatedRelease) return result;
        throw new StepFailure({ reason: "refused_by_target", message: "It ended with status 1.", applied: "unknown" });
      },
    };
    const result = outputOf(await bench.carryOut(bench.bind("deploy-release", parameters, { deployer: failing })));
    expect(result).toMatchObject({ deployed: false, put_back: true });
    expect(result["reason"]).toContain("The deployment failed: It ended with status 1.");
  });

  it("fails where the deployer refused and every process runs the release before", async () => {
    const bench = aBench();
    const failure = new StepFailure({ reason: "refused_by_target", message: "It is frozen.", applied: "no" });
    const deployer = { ...bench.ports.deployer, deploy: () => Promise.reject(failure) };
    await expect(bench.carryOut(bench.bind("deploy-release", parameters, { deployer }))).rejects.toMatchObject({
      failure: { applied: "no", message: expect.stringContaining("It is frozen.") },
    });
    expect(bench.effects).toEqual([]);
  });

  it("puts nothing back where it is not certain what ran before", async () => {
    const bench = aBench({ up: 2 });
    const { deployer } = bench.ports;
    let reads = 0;
    const mixed = {
      ...deployer,
      async readVersions(...call: Parameters<typeof deployer.readVersions>) {
        reads += 1;
        const [first, ...others] = await deployer.readVersions(...call);
        return reads === 1 && first !== undefined
          ? [{ ...first, sha: "d".repeat(40) }, ...others]
          : [...(first === undefined ? [] : [first]), ...others];
      },
    };
    const result = outputOf(await bench.carryOut(bench.bind("deploy-release", parameters, { deployer: mixed })));
    expect(result).toMatchObject({ deployed: false, put_back: false, previous: "" });
    expect(bench.effects).toHaveLength(1);
  });

  it("reads the processes again, and says what it cannot know of a deployment that got no answer", async () => {
    const bench = aBench();
    const action = bench.bind("deploy-release", parameters);
    const plan = await action.plan(bench.context());
    expect(await action.probe?.(plan, bench.context())).toEqual({ kind: "not_applied" });
    const begun = await action.run(plan, bench.context());
    const progress = begun.kind === "continue" ? begun.progress : undefined;
    expect(await action.probe?.(plan, bench.context({ progress }))).toMatchObject({ kind: "unknown" });
    const output = outputOf(await bench.carryOut(action));
    expect(await action.probe?.(plan, bench.context({ results: { step: output } }))).toMatchObject({
      kind: "applied",
      output: { deployed: true, new_processes: 3 },
    });
  });

  it.each(["deployment", "versionUrls"] as const)("refuses a feature without %s", async (what) => {
    const bench = aBench();
    const features = bench.ports.features.map(({ deployment, ...feature }) =>
      what === "versionUrls" && deployment !== undefined ? { ...feature, deployment, versionUrls: [] } : feature,
    );
    const action = bench.bind("deploy-release", parameters, { features });
    await expect(action.plan(bench.context())).rejects.toMatchObject({ failure: { reason: "invalid_parameters" } });
  });
});
