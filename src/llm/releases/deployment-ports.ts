import type { Feature } from "../../core/feature.ts";
import type { Deployer } from "./deployer.ts";
import type { TestRunner } from "./test-runner.ts";

/** What tests a fix and puts it into service. */
export interface DeploymentPorts {
  /** As runbookd.yml describes them. */
  readonly features: readonly Feature[];
  readonly testRunner: TestRunner;
  readonly deployer: Deployer;
}
