import type { Feature } from "../../core/feature.ts";
import type { LongWork, LongWorkCall } from "../../core/long-work.ts";

/** What one process of an application says it runs. */
export interface RunningVersion {
  /** Where it was asked. */
  readonly url: string;
  /** Name of the process, new with each start; undefined: it does not say. */
  readonly instance?: string;
  /** Commit id; undefined: it did not answer, or said nothing that is one. */
  readonly sha?: string;
}

/** How a deployment ended, before anyone has asked the processes. */
export interface DeploymentResult {
  readonly sha: string;
  readonly url?: string;
}

/** Puts one commit of an application into service. Rejects with StepFailure. */
export interface Deployer {
  /** One row for each address of `version_urls`. */
  readVersions(feature: Feature, signal: AbortSignal): Promise<readonly RunningVersion[]>;
  deploy(feature: Feature, sha: string, call: LongWorkCall): Promise<LongWork<DeploymentResult>>;
}
