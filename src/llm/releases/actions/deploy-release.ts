import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import type { ActionResult } from "../../../core/action.ts";
import { shortCommit } from "../../../core/commit-id.ts";
import { hourMs } from "../../../core/duration.ts";
import type { Feature } from "../../../core/feature.ts";
import { advanceDeployment, beginDeployment, deploymentProgressSchema } from "../advance-deployment.ts";
import type { RunningVersion } from "../deployer.ts";
import type { DeploymentPorts } from "../deployment-ports.ts";
import { commonVersion, isDeployed, judgeVersions } from "../judge-versions.ts";
import { invalidRelease, readFeature } from "../read-feature.ts";
import { commitParameter, featureParameter } from "../release-parameters.ts";

const dataSchema = z.object({ previous: z.string() });

/** What a later look takes over from the result. */
const endSchema = z.object({
  deployed: z.boolean(),
  replaced: z.array(z.string()),
  put_back: z.boolean(),
  reason: z.string(),
  url: z.string(),
});
type End = z.output<typeof endSchema>;

type Ports = Pick<DeploymentPorts, "features" | "deployer">;

/** Deploys one commit and shows by the processes themselves that it runs. Where only a part of them comes up, the release before is put back. */
export const deployRelease = defineAction({
  name: "deploy-release",
  summary:
    "Deploys one commit of a feature's application, and waits until every process reports that commit and is a new process. When one does not, the release before is deployed again.",
  parameters: z.strictObject({
    feature: featureParameter,
    sha: commitParameter("Commit to deploy."),
    within: durationParameter("Time that the processes have to come up.").default("5m"),
  }),
  result: {
    feature: "name of the feature",
    deployed: "whether every process runs the commit, and is a process that was not there before",
    sha: "commit that was to be deployed",
    previous: "commit that ran before; empty when that is not certain",
    current: "processes that report the commit",
    processes: "processes that were asked",
    new_processes: "of those that report the commit, how many were not there before",
    put_back: "whether every process reports the release before again, after the new one did not come up",
    reason: "what happened, for people",
    gaps: "what is not shown, one sentence each",
    replaced: "names of the processes that ran before",
    url: "page of the deployment for people, or empty",
  },
  effect: "probed",
  risk: "raises",
  targetsOf: ({ feature }) => (typeof feature === "string" ? [`feature/${feature}`] : []),
  // A command runs as long as its template allows.
  timeoutMs: hourMs,
  probes: true,
  undoes: false,
  behave({ feature: name, sha, within }, { features, deployer }: Ports) {
    const withinMs = millisecondsOf(within);
    return {
      async plan(context) {
        const feature = deployedFeature(readFeature(name, features, context));
        const previous = commonVersion(await deployer.readVersions(feature, context.signal)) ?? "";
        const target = `feature/${feature.name}`;
        const back =
          previous === ""
            ? "which release runs now is not certain, so that none could be put back"
            : `${shortCommit(previous)} is put back when one of them does not come up`;
        return {
          summary: `Deploy ${shortCommit(sha)} of ${feature.name} to ${feature.versionUrls.length} processes; ${back}`,
          targets: [target],
          changes: [{ target, field: "release", before: previous === "" ? "unknown" : previous, after: sha }],
          reversible: previous !== "",
          data: { previous },
        };
      },
      async run(plan, context): Promise<ActionResult> {
        const feature = deployedFeature(readFeature(name, features, context));
        const { previous } = dataSchema.parse(plan.data);
        if (context.progress === undefined) {
          const progress = await beginDeployment(deployer, feature, context);
          return { kind: "continue", afterMs: 0, progress };
        }
        const progress = deploymentProgressSchema.parse(context.progress);
        const order = { feature, sha, previous: previous === "" ? undefined : previous, withinMs };
        const advanced = await advanceDeployment(deployer, order, { progress, call: context });
        if (advanced.kind === "running") return { kind: "continue", afterMs: advanced.afterMs, progress: advanced.progress };
        const { versions, deployed, putBack, reason, url } = advanced;
        const end = { previous, deployed, replaced: progress.before, put_back: putBack, reason, url };
        return { kind: "done", output: outputOf(feature, versions, end) };
      },
      async probe(plan, context) {
        const feature = deployedFeature(readFeature(name, features, context));
        const { previous } = dataSchema.parse(plan.data);
        const ended = endSchema.safeParse(context.results[context.stepId]).data;
        const progress = deploymentProgressSchema.safeParse(context.progress).data;
        // Nothing is deployed before the first look at the processes has been recorded.
        if (ended === undefined && progress === undefined) return { kind: "not_applied" };
        const versions = await deployer.readVersions(feature, context.signal);
        const end = ended ?? {
          // Once the deployer has failed, processes that look well show nothing.
          deployed: progress?.failure === undefined && (progress?.phase === "deploy" || progress?.phase === "settle"),
          replaced: progress?.before ?? [],
          put_back: false,
          reason: progress?.sentence ?? "",
          url: progress?.url ?? "",
        };
        const output = outputOf(feature, versions, { previous, ...end });
        if (ended !== undefined || output["deployed"] === true) return { kind: "applied", output };
        return { kind: "unknown", reason: `not every process runs ${shortCommit(sha)}, and a deployment may still be under way` };
      },
    };

    function outputOf(feature: Feature, versions: readonly RunningVersion[], end: End & { readonly previous: string }): ActionOutput {
      const judgement = judgeVersions(versions, sha, end.replaced);
      return {
        feature: feature.name,
        sha,
        current: judgement.current,
        processes: judgement.processes,
        new_processes: judgement.fresh,
        gaps: judgement.gaps.slice(0, 20),
        ...end,
        deployed: end.deployed && isDeployed(judgement),
      };
    }
  },
});

/** A feature without any of this could be deployed only in name. */
function deployedFeature(feature: Feature): Feature {
  if (feature.deployment === undefined)
    throw invalidRelease(`Feature ${feature.name} has no deployment in runbookd.yml; a person has to deploy it.`);
  if (feature.versionUrls.length === 0)
    throw invalidRelease(`Feature ${feature.name} has no version_urls in runbookd.yml, so that no process could show what it runs.`);
  return feature;
}
