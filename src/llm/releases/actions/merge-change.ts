import { z } from "zod";
import { featureNameSchema } from "../../../../packages/sdk/src/wire/flags.ts";
import { maskSecrets } from "../../../../packages/sdk/src/wire/mask-secrets.ts";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionContext } from "../../../core/action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { shortLine } from "../../../core/one-line.ts";
import { featureMeant, noFeature } from "../../findings/which-feature.ts";
import { commitParameter } from "../release-parameters.ts";
import { type FeatureCode, featureCode, type ReleasePorts } from "../release-ports.ts";

/** Merges one commit of a change, and no later one. */
export const mergeChange = defineAction({
  name: "merge-change",
  summary:
    "Merges a change while its head is exactly the commit that was tested, and holds every commit of the base branch. When either has moved, nothing is merged: what was approved and tested was something else.",
  parameters: z.strictObject({
    feature: featureNameSchema.meta({ description: "Name of one feature of runbookd.yml, whose repository the change is in." }),
    change: z.string().min(1).max(300).meta({ description: "Id of the change, as prepare-hotfix gave it." }),
    sha: commitParameter("Full id of the commit that was tested."),
  }),
  result: {
    merged: "whether exactly this commit is on the base branch",
    moved: "whether the head was another commit, so that nothing was merged",
    behind: "whether the base branch had commits that this commit lacks, so that nothing was merged",
    same_files: "whether the merge holds exactly the files of the commit that was tested; false when nothing was merged",
    sha: "full id of the merge on the base branch; empty when nothing was merged",
    head: "full id of the head: the merged commit, or the one that the change has moved to",
  },
  effect: "probed",
  risk: "raises",
  timeoutMs: 120_000,
  targetsOf: () => [],
  probes: true,
  undoes: false,
  behave({ feature: name, change: id, sha }, ports: Pick<ReleasePorts, "features" | "codeHosts">) {
    function codeOf(context: ActionContext): FeatureCode {
      const meant = featureMeant(name, ports.features, context);
      if (meant === undefined || meant === noFeature) throw refused(`runbookd.yml has no feature ${name}; nothing was merged.`);
      return featureCode(meant, ports.codeHosts);
    }
    const notMerged = { merged: false, moved: false, behind: false, same_files: false, sha: "", head: sha };

    /** The base branch may have moved between the look at it and the merge. */
    async function merged({ host, repository }: FeatureCode, mergeSha: string, signal: AbortSignal): Promise<ActionOutput> {
      const sameFiles = await host.sameFiles({ repository, shas: [mergeSha, sha], signal }).catch((error: unknown) => {
        if (!(error instanceof StepFailure)) throw error;
        throw new StepFailure({ ...error.failure, applied: "unknown" });
      });
      return { ...notMerged, merged: true, same_files: sameFiles, sha: mergeSha };
    }

    return {
      async plan(context) {
        const { host, repository } = codeOf(context);
        const change = await host.readChange(repository, id, context.signal);
        if (change === undefined) throw refused(`${repository} has no change ${shortLine(id, 100)}; nothing was merged.`);
        if (change.state === "closed") throw refused(`${id} of ${repository} was closed without a merge; nothing was merged.`);
        if (change.state === "open" && !change.opened)
          throw refused(`${id} of ${repository} is not opened yet: prepare-hotfix comes first.`);
        if (change.sha !== sha)
          throw refused(
            `The head of ${id} is ${change.sha}, and ${sha} was tested; nothing was merged. Have the new head tested, and its attack replayed, in a new run.`,
          );
        if (!change.upToDate)
          throw refused(
            `The base branch of ${repository} has commits that ${sha} lacks, so that what would be merged was not tested; nothing was merged. Update the branch of ${id}, and start the runbook again.`,
          );
        return {
          summary: `Merge ${id} of ${repository} ("${maskSecrets(shortLine(change.title, 150))}") at exactly ${sha}`,
          targets: [`repository/${repository}`],
          changes: [{ target: `repository/${repository}`, field: "base branch", before: change.baseSha, after: `a merge of ${sha}` }],
          reversible: false,
          data: { repository, id, sha },
        };
      },
      async run(_plan, context) {
        const code = codeOf(context);
        const { host, repository } = code;
        const outcome = await host.mergeChange({ repository, id, sha, signal: context.signal });
        switch (outcome.kind) {
          case "merged":
            return { kind: "done", output: await merged(code, outcome.sha, context.signal) };
          case "moved":
            return { kind: "done", output: { ...notMerged, moved: true, head: outcome.sha } };
          case "behind":
            return { kind: "done", output: { ...notMerged, behind: true } };
          case "not_mergeable":
            throw refused(`${id} of ${repository} cannot be merged: ${maskSecrets(shortLine(outcome.reason, 300))}`);
        }
      },
      async probe(_plan, context) {
        const code = codeOf(context);
        const { host, repository } = code;
        const change = await host.readChange(repository, id, context.signal);
        if (change === undefined) return { kind: "unknown", reason: `${repository} has no change ${shortLine(id, 100)} any more` };
        if (change.state === "merged" && change.sha === sha && change.mergeSha !== undefined)
          return { kind: "applied", output: await merged(code, change.mergeSha, context.signal) };
        return { kind: "not_applied" };
      },
    };
  },
});

function refused(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
