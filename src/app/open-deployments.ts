import type { CommandRunner } from "../actions/command-runner.ts";
import type { HttpPort } from "../actions/http-port.ts";
import { StepFailure } from "../core/failure.ts";
import type { CommitJob, Feature } from "../core/feature.ts";
import { createCommandDeployer } from "../integrations/command/create-command-deployer.ts";
import { createCommandTests } from "../integrations/command/create-command-tests.ts";
import { createVersionReader } from "../integrations/http/create-version-reader.ts";
import type { Deployer } from "../llm/releases/deployer.ts";
import type { DeploymentPorts } from "../llm/releases/deployment-ports.ts";
import type { TestRunner } from "../llm/releases/test-runner.ts";
import type { Runtime } from "./runtime.ts";

/** What jobs on one commit run on. */
export interface DeploymentSystems {
  readonly commands: CommandRunner;
  /** Reaches the origins that RUNBOOKD_HTTP_ALLOW lists. */
  readonly http: HttpPort;
  /** Workflows of the code host; undefined: none is configured. */
  readonly workflows: { readonly tests: TestRunner; readonly deployer: Pick<Deployer, "deploy"> } | undefined;
}

/** Tests and deployments, by the command or the workflow that a feature of runbookd.yml names. */
export function openDeployments(
  { clock }: Pick<Runtime, "clock">,
  { commands, http, workflows }: DeploymentSystems,
): Pick<DeploymentPorts, "testRunner" | "deployer"> {
  const test = createCommandTests({ commands, clock });
  const deploy = createCommandDeployer({ commands, clock });
  const readVersions = createVersionReader(http, clock);
  return {
    testRunner: {
      async test(feature, sha, call) {
        const job = jobOf(feature, "tests");
        if (job.kind === "workflow") return workflowsOf(feature).tests.test(feature, sha, call);
        return { kind: "done", result: await test({ name: job.name, sha, key: call.key, signal: call.signal }) };
      },
    },
    deployer: {
      readVersions: async ({ versionUrls }, signal) => readVersions(versionUrls, signal),
      async deploy(feature, sha, call) {
        const job = jobOf(feature, "deployment");
        if (job.kind === "workflow") return workflowsOf(feature).deployer.deploy(feature, sha, call);
        return { kind: "done", result: await deploy({ name: job.name, sha, key: call.key, signal: call.signal }) };
      },
    },
  };

  function workflowsOf({ name }: Feature) {
    if (workflows !== undefined) return workflows;
    throw invalid(`A workflow does this for feature ${name}, and GitHub is not configured.`);
  }
}

function jobOf(feature: Feature, what: "tests" | "deployment"): CommitJob {
  const job = feature[what];
  if (job !== undefined) return job;
  throw invalid(`Feature ${feature.name} has no ${what} in runbookd.yml.`);
}

function invalid(message: string): StepFailure {
  return new StepFailure({ reason: "invalid_parameters", message, applied: "no" });
}
