import { z } from "zod";
import { featureNameSchema } from "../../../../packages/sdk/src/wire/flags.ts";
import { maskSecrets } from "../../../../packages/sdk/src/wire/mask-secrets.ts";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import type { Feature } from "../../../core/feature.ts";
import { shortLine } from "../../../core/one-line.ts";
import { reachableStore } from "../../../core/reachable-store.ts";
import { askWhichFeature, featureMeant, noFeature } from "../../findings/which-feature.ts";
import type { CodeChange } from "../code-host.ts";
import { fixSearchOf } from "../fix-search.ts";
import { featureCode, type ReleasePorts } from "../release-ports.ts";

const candidateSchema = z.object({ id: z.string(), branch: z.string(), title: z.string(), sha: z.string() });
type Candidate = z.output<typeof candidateSchema>;

const dataSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("open"), feature: z.string(), repository: z.string(), fix: candidateSchema }),
  z.object({ kind: z.literal("choose"), feature: z.string(), sentence: z.string(), fixes: z.array(candidateSchema) }),
  z.object({ kind: z.literal("which_feature") }),
  z.object({ kind: z.literal("none_meant") }),
]);
type Planned = z.output<typeof dataSchema>;

/** What a person was asked to choose from; what is there by the time of the answer may be something else. */
const progressSchema = z.object({ feature: z.string(), fixes: z.array(candidateSchema) });

const maxFindings = 500;
/** Longer ids do not fit into an answer. */
const maxAnswerLength = 40;
const again = "again";
const answersWithoutChange = ["prompt", "none"] as const;

/** Finds the change that closes the hole, and opens it where none is open. */
export const prepareHotfix = defineAction({
  name: "prepare-hotfix",
  summary:
    "Finds the change that fixes the open findings of a feature: the one that names them or updates their package, else the one on a branch hotfix/*, and opens a pull request for a branch that has none. When there are several or none, a person is asked.",
  parameters: z.strictObject({
    feature: featureNameSchema.meta({ description: "Name of one feature of runbookd.yml, as findings carry it." }),
    branch: z.string().max(200).default("").meta({ description: "Branch with the fix; empty: it is looked for." }),
  }),
  result: {
    fix: "change: a change of the code; prompt: a person has made a new version of a prompt; none: a person says that there is no fix",
    change: "id of the change at the code host, e.g. pull/12 or branch/hotfix/export-scope; empty without one",
    sha: "full id of its head",
    base_sha: "full id of the commit that it is based on now",
    up_to_date:
      "whether the head holds every commit of the base branch; else what would be merged is not what is tested. True without a change",
    title: "its title",
    url: "its page, where it has one",
    feature: "the feature that it is for; none when a person named none",
    asked_for: "the name that the step was given",
  },
  effect: "probed",
  risk: "raises",
  targetsOf: () => [],
  timeoutMs: 120_000,
  probes: true,
  undoes: false,
  behave({ feature: name, branch }, ports: ReleasePorts) {
    async function decide(feature: Feature, signal: AbortSignal): Promise<Planned> {
      const { host, repository } = featureCode(feature, ports.codeHosts);
      const choose = (sentence: string, fixes: readonly Candidate[]): Planned => ({
        kind: "choose",
        feature: feature.name,
        sentence,
        fixes: [...fixes],
      });
      if (branch !== "") {
        const change = await host.readChange(repository, `branch/${branch}`, signal);
        if (change === undefined) return choose(`${repository} has no branch ${shortLine(branch, 100)}.`, []);
        return { kind: "open", feature: feature.name, repository, fix: candidateOf(change) };
      }
      const findings = await reachable(ports.securityFindings.list({ feature: name, state: "open" }, maxFindings));
      const changes = await host.findFixes({ repository, ...fixSearchOf(findings), signal });
      const fixes = changes.map(candidateOf);
      const [fix, ...others] = fixes;
      if (fix === undefined) return choose(`${repository} has no open change that names a finding, and no branch hotfix/*.`, []);
      if (others.length > 0) return choose(`${fixes.length} open changes of ${repository} may be the fix.`, fixes);
      return { kind: "open", feature: feature.name, repository, fix };
    }

    async function openFix(feature: Feature, fix: Candidate, context: ActionContext): Promise<ActionResult> {
      const { host, repository } = featureCode(feature, ports.codeHosts);
      const body = `Opened by runbookd for its run ${context.runId}. The run tests exactly this commit, and asks for approval before it merges it.`;
      const change = await host.openChange({ repository, branch: fix.branch, title: fix.title, body, signal: context.signal });
      return { kind: "done", output: outputOf(change, feature.name) };
    }

    function outputOf(change: CodeChange, feature: string): ActionOutput {
      const { id, sha, baseSha, upToDate, url = "" } = change;
      return {
        fix: "change",
        change: id,
        sha,
        base_sha: baseSha,
        up_to_date: upToDate,
        title: titleOf(change),
        url,
        feature,
        asked_for: name,
      };
    }

    function withoutChange(fix: (typeof answersWithoutChange)[number], feature: string): ActionOutput {
      return { fix, change: "", sha: "", base_sha: "", up_to_date: true, title: "", url: "", feature, asked_for: name };
    }

    /** What is decided by now: by the plan, or by what a person has answered since. */
    async function decided(
      planned: Planned,
      context: ActionContext,
    ): Promise<Planned | { readonly kind: "hand"; readonly output: ActionOutput }> {
      const { answer, signal } = context;
      const asked = progressSchema.safeParse(context.progress).data;
      const meant = asked === undefined ? featureMeant(name, ports.features, context) : featureNamed(asked.feature);
      if (meant === undefined) return { kind: "which_feature" };
      if (meant === noFeature) return { kind: "none_meant" };
      if (asked === undefined) return planned.kind === "which_feature" ? decide(meant, signal) : planned;
      const chosen = answersWithoutChange.find((one) => one === answer);
      if (chosen !== undefined) return { kind: "hand", output: withoutChange(chosen, meant.name) };
      const fix = asked.fixes.find((one, index) => answerOf(one, index) === answer);
      if (fix === undefined) return decide(meant, signal);
      return { kind: "open", feature: meant.name, repository: featureCode(meant, ports.codeHosts).repository, fix };
    }

    function featureNamed(wanted: string): Feature | undefined {
      return ports.features.find((feature) => feature.name === wanted);
    }

    return {
      async plan(context) {
        const meant = featureMeant(name, ports.features, context);
        const planned: Planned =
          meant === undefined
            ? { kind: "which_feature" }
            : meant === noFeature
              ? { kind: "none_meant" }
              : await decide(meant, context.signal);
        const target =
          planned.kind === "open" ? `repository/${planned.repository}` : `feature/${meant === undefined ? name : nameOf(meant)}`;
        return { summary: summaryOf(planned, name), targets: [target], changes: [], reversible: true, data: planned };
      },
      async run(plan, context): Promise<ActionResult> {
        const now = await decided(dataSchema.parse(plan.data), context);
        switch (now.kind) {
          case "which_feature":
            return askWhichFeature(name, ports.features, "Its fix is to be found.");
          case "none_meant":
            return { kind: "done", output: withoutChange("none", noFeature) };
          case "hand":
            return { kind: "done", output: now.output };
          case "choose":
            return askWhichFix(now);
          case "open": {
            const feature = featureNamed(now.feature);
            if (feature === undefined) throw new Error(`Feature ${now.feature} was there when this was planned.`);
            return openFix(feature, now.fix, context);
          }
        }
      },
      async probe(plan, context) {
        const now = await decided(dataSchema.parse(plan.data), context);
        if (now.kind === "hand") return { kind: "applied", output: now.output };
        if (now.kind === "none_meant") return { kind: "applied", output: withoutChange("none", noFeature) };
        const feature = now.kind === "open" ? featureNamed(now.feature) : undefined;
        if (now.kind !== "open" || feature === undefined) return { kind: "not_applied" };
        const { host, repository } = featureCode(feature, ports.codeHosts);
        const change = await host.readChange(repository, `branch/${now.fix.branch}`, context.signal);
        return change?.opened === true ? { kind: "applied", output: outputOf(change, feature.name) } : { kind: "not_applied" };
      },
    };
  },
});

function nameOf(meant: Feature | typeof noFeature): string {
  return meant === noFeature ? noFeature : meant.name;
}

function candidateOf(change: CodeChange): Candidate {
  return { id: change.id, branch: change.branch, title: titleOf(change), sha: change.sha };
}

/** The author of the change wrote it. */
function titleOf({ title, branch }: Pick<CodeChange, "title" | "branch">): string {
  return maskSecrets(shortLine(title === "" ? branch : title, 150));
}

function answerOf({ id }: Candidate, index: number): string {
  return id.length <= maxAnswerLength ? id : `#${index + 1}`;
}

function askWhichFix({ feature, sentence, fixes }: Extract<Planned, { kind: "choose" }>): ActionResult {
  const listed = fixes.map(
    (fix, index) => `${answerOf(fix, index)}: "${fix.title}" on ${shortLine(fix.branch, 100)} at ${fix.sha.slice(0, 12)}`,
  );
  const which =
    listed.length === 0 ? "Put the fix on a branch" : `${listed.join("; ")}. Answer with the one that is the fix, or put it on a branch`;
  return {
    kind: "ask",
    question: `${sentence} ${which} hotfix/… and answer "${again}" to have it looked for again. Answer "prompt" when a new version of a prompt is the fix and you have made it, "none" when there is no fix.`,
    answers: [...fixes.map(answerOf), again, ...answersWithoutChange],
    progress: { feature, fixes },
  };
}

function summaryOf(planned: Planned, name: string): string {
  switch (planned.kind) {
    case "open":
      return `Take ${planned.fix.id} ("${planned.fix.title}") at ${planned.fix.sha.slice(0, 12)} as the fix of ${planned.feature}, and open it where it is only a branch`;
    case "choose":
      return `Ask a person what the fix of ${planned.feature} is: ${planned.sentence}`;
    case "which_feature":
      return `Ask which feature "${name}" is, and find its fix`;
    case "none_meant":
      return "Find no fix: a person said that no feature is affected";
  }
}

async function reachable<Value>(call: Promise<Value>): Promise<Value> {
  return reachableStore(call, { message: "The store of findings does not answer.", applied: "no" });
}
