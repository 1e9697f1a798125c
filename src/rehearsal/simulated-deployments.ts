import { StepFailure } from "../core/failure.ts";
import type { Feature } from "../core/feature.ts";
import type { RunningVersion } from "../llm/releases/deployer.ts";
import type { DeploymentPorts } from "../llm/releases/deployment-ports.ts";
import type { SimulatedFeature } from "./rehearsal.ts";

/** How long simulated tests and deployments take. */
const workMs = 30_000;

interface Process {
  readonly instance: string;
  readonly sha: string;
}

/**
 * Tests and deployments that end as the rehearsal says. The same key is carried out once. `releaseOf`: the commit that a feature runs when the alert arrives.
 * `changed` hears every change as one line.
 */
export function createSimulatedDeployments(
  features: readonly SimulatedFeature[],
  releaseOf: (feature: string) => string,
  changed: (line: string) => void,
): Pick<DeploymentPorts, "testRunner" | "deployer"> {
  const before = new Map(features.map(({ name }) => [name, releaseOf(name)]));
  const processes = new Map(
    features.map(({ name, release }) => [
      name,
      Array.from({ length: release.processes }, (_, nth): Process => ({ instance: `${name}-${nth + 1}`, sha: before.get(name) ?? "" })),
    ]),
  );
  const begun = new Set<string>();
  let started = 0;

  function start({ release, name }: SimulatedFeature, sha: string): void {
    const isBack = sha === before.get(name);
    const up = isBack ? (release.putBack ? release.processes : 0) : release.up;
    const present = processes.get(name) ?? [];
    const next = present.map((process, nth): Process => {
      if (nth >= up) return process;
      started += 1;
      return { instance: release.restarts ? `${name}-new-${started}` : process.instance, sha };
    });
    processes.set(name, next);
    changed(`feature/${name}: ${Math.min(up, next.length)} of ${next.length} processes run ${sha.slice(0, 12)}`);
  }

  return {
    testRunner: {
      async test(feature, sha, { key }) {
        const { tests } = writtenOf(features, feature);
        if (!begun.has(key)) {
          begun.add(key);
          return { kind: "running", afterMs: workMs, progress: null, sentence: "The tests run." };
        }
        const isBase = sha === before.get(feature.name);
        const counts = isBase ? { ...tests.base, skipped: 0 } : tests.fix;
        return { kind: "done", result: { sha: tests.otherCommit && !isBase ? "e".repeat(40) : sha, ...counts } };
      },
    },
    deployer: {
      async readVersions({ name, versionUrls }) {
        const all = processes.get(name) ?? [];
        const isSteady = features.find((feature) => feature.name === name)?.release.steady !== false;
        return versionUrls.map((url, nth): RunningVersion => {
          const process = all[nth];
          if (process === undefined || isSteady || process.sha === before.get(name)) return { url, ...process };
          started += 1;
          return { url, ...process, instance: `${process.instance}-${started}` };
        });
      },
      async deploy(feature, sha, { key }) {
        const simulated = features.find(({ name }) => name === feature.name);
        if (simulated === undefined) throw unknownFeature(feature);
        if (begun.has(key)) return { kind: "done", result: { sha } };
        begun.add(key);
        start(simulated, sha);
        return { kind: "running", afterMs: workMs, progress: null, sentence: "The deployment is under way." };
      },
    },
  };
}

function writtenOf(features: readonly SimulatedFeature[], feature: Feature): SimulatedFeature["release"] {
  const simulated = features.find(({ name }) => name === feature.name);
  if (simulated === undefined) throw unknownFeature(feature);
  return simulated.release;
}

function unknownFeature({ name }: Feature): StepFailure {
  return new StepFailure({ reason: "invalid_parameters", message: `The rehearsal has no feature ${name}.`, applied: "no" });
}
