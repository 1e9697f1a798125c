import type { Instant } from "../../core/clock.ts";
import type { RunningVersion } from "./deployer.ts";
import { commonVersion, isDeployed, type VersionsJudgement } from "./judge-versions.ts";

/** What the next move of a deployment is decided from, once its deployer has ended. */
export interface DeploymentFacts {
  readonly now: Instant;
  /** When the deployer ended. */
  readonly since: Instant;
  /** Time that the processes have to come up, in milliseconds. */
  readonly withinMs: number;
  readonly versions: readonly RunningVersion[];
  readonly judgement: VersionsJudgement;
  /** Whether the look before saw the same processes: one that falls over is started again under another name, and so is seen as another one. */
  readonly steady: boolean;
  /** The release that ran before; undefined: it cannot be put back, because it is not certain which it was. */
  readonly previous: string | undefined;
  /** Why the deployer says that it has failed; undefined: it has not. */
  readonly failure: string | undefined;
}

/**
 * `deployed`: every process is a new one, runs the commit and was there at the look before. `wait`: the others have time left. `put_back`: the previous release is deployed again.
 * `unchanged`: the deployer failed and every process runs the previous release. `stuck`: it failed, and there is no release that could be put back.
 */
export interface DeploymentMove {
  readonly kind: "deployed" | "wait" | "put_back" | "unchanged" | "stuck";
  readonly sentence: string;
}

/** Decides from what the processes say, and never from what the deployer says alone. Pure. */
export function nextDeploymentMove(facts: DeploymentFacts): DeploymentMove {
  const { judgement, steady, failure, previous, versions } = facts;
  const { processes, current, fresh } = judgement;
  const isUp = isDeployed(judgement);
  const unsteady = isUp && !steady ? ", and the look before saw other ones" : "";
  const counts = `${current} of ${processes} processes run the new release, ${fresh} of them started since${unsteady}`;
  // A failed deployer may have left anything behind, also where all processes look well.
  if (failure === undefined && isUp && steady) return { kind: "deployed", sentence: `${counts}.` };
  if (failure === undefined && facts.now - facts.since < facts.withinMs)
    return { kind: "wait", sentence: `${counts}; waiting ${isUp ? "to see whether they stay" : "for the others"}.` };
  const why = failure === undefined ? `${counts} when the time was over` : `The deployment failed: ${failure} ${counts}`;
  if (failure !== undefined && previous !== undefined && commonVersion(versions) === previous && fresh === 0)
    return { kind: "unchanged", sentence: `${why}; every process runs the release before.` };
  if (previous === undefined)
    return { kind: "stuck", sentence: `${why}; which release ran before is not certain, so that none is put back.` };
  return { kind: "put_back", sentence: `${why}; the release before is put back.` };
}
