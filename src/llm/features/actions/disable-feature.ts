import { z } from "zod";
import { featureNameSchema } from "../../../../packages/sdk/src/wire/flags.ts";
import type { ActionOutput, Change } from "../../../../packages/sdk/src/wire/plans.ts";
import { severityClasses } from "../../../../packages/sdk/src/wire/security-findings.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import type { Feature } from "../../../core/feature.ts";
import { shortLine } from "../../../core/one-line.ts";
import { askWhichFeature, featureMeant, noFeature } from "../../findings/which-feature.ts";
import { decideContainment } from "../decide-containment.ts";
import type { FeaturePorts } from "../feature-ports.ts";
import { proveOff } from "../prove-off.ts";
import { readContainmentFacts } from "../read-containment.ts";
import { nameOfFlag, switchOff } from "../switch-off.ts";

const dataSchema = z.object({
  kind: z.enum(["spare", "contain", "ask"]),
  reason: z.string(),
  sentence: z.string(),
  stopBefore: z.number(),
});
type Planned = z.output<typeof dataSchema>;

type Ports = Pick<FeaturePorts, "features" | "securityFindings" | "flagSwitches" | "featureRequests" | "budgets" | "http">;

/** Switches a feature off where its findings call for it, and shows that it is off. What cannot be seen is switched off too. */
export const disableFeature = defineAction({
  name: "disable-feature",
  summary:
    "Switches a feature off when a finding calls for it or cannot be judged: its flags off, the gates of its budgets closed, its tickets stopped at their next turn with their work saved. It shows that processes follow, and that a trial request is refused.",
  parameters: z.strictObject({
    feature: featureNameSchema.meta({
      description: "Name of one feature of runbookd.yml; a person is asked when there is none of this name.",
    }),
    if: z.enum(severityClasses).default("critical").meta({
      description: "Findings of this class and of graver ones call for it, beside each one whose verdict says so.",
    }),
  }),
  result: {
    needed: "whether the feature is to be off",
    reason:
      "verdict, not_assessed, findings_unreadable, source_blind or alert_unexplained; below_threshold, closed, no_finding or none_meant when it is not needed",
    sentence: "the reason for people",
    feature: "the feature that was switched off; none when a person named none",
    asked_for: "the name that the step was given",
    off: "whether every flag is off and every gate is closed",
    followers: "processes that read the flag, of the flag that the fewest have read in its newest version; 0 also when none is known",
    followers_current: "of them, how many have read the newest version",
    flag: "that flag",
    refused: "whether a trial request was refused",
    called: "whether applications have reported served requests within the last 30 s",
    requests: "how many; null when nothing reports them",
    running: "tickets that began before the stop and still run",
    gaps: "what is not shown, one sentence each",
  },
  effect: "set",
  risk: "lowers",
  timeoutMs: 60_000,
  probes: true,
  undoes: false,
  behave({ feature: name, if: atLeast }, ports: Ports) {
    async function act(planned: Planned, context: ActionContext): Promise<ActionResult> {
      if (planned.kind === "spare") return { kind: "done", output: spared(name, planned) };
      const meant = featureMeant(name, ports.features, context);
      if (meant === undefined) return askWhichFeature(name, ports.features, planned.sentence);
      if (meant === noFeature) return { kind: "done", output: noneMeant(name) };
      const by = `run:${context.runId}`;
      await switchOff({ feature: meant, stopBefore: planned.stopBefore, by, reason: planned.sentence }, ports);
      return { kind: "done", output: await outputOf(meant, planned, context) };
    }

    async function outputOf(
      feature: Feature,
      { reason, sentence, stopBefore }: Planned,
      { runId, signal }: ActionContext,
    ): Promise<ActionOutput> {
      const proof = await proveOff(feature, { runId, stopBefore, signal }, ports);
      return {
        needed: true,
        reason,
        sentence,
        feature: feature.name,
        asked_for: name,
        off: proof.off,
        followers: proof.followers,
        followers_current: proof.current,
        flag: proof.followed,
        refused: proof.refused,
        called: (proof.requests ?? 0) > 0,
        requests: proof.requests ?? null,
        running: proof.running,
        gaps: proof.gaps.slice(0, 20),
      };
    }

    return {
      async plan(context) {
        const meant = featureMeant(name, ports.features, context);
        const feature = meant === noFeature ? undefined : meant;
        const facts = await readContainmentFacts({ name, feature, atLeast }, ports.securityFindings, context);
        const { kind, reason, sentence } = decideContainment(facts);
        const planned: Planned = { kind, reason, sentence: shortLine(sentence, 600), stopBefore: context.clock.now() };
        return {
          summary: summaryOf(planned, feature, name),
          targets: [`feature/${feature?.name ?? name}`],
          changes: kind === "contain" && feature !== undefined ? await changesOf(feature, ports) : [],
          // What is off stays off until people have it switched on again.
          reversible: true,
          data: planned,
        };
      },
      run: async (plan, context) => act(dataSchema.parse(plan.data), context),
      async probe(plan, context) {
        const planned = dataSchema.parse(plan.data);
        if (planned.kind === "spare") return { kind: "applied", output: spared(name, planned) };
        const meant = featureMeant(name, ports.features, context);
        if (meant === undefined) return { kind: "unknown", reason: `which feature "${name}" means was not answered` };
        if (meant === noFeature) return { kind: "applied", output: noneMeant(name) };
        const output = await outputOf(meant, planned, context);
        return { kind: "applied", output };
      },
    };
  },
});

function summaryOf({ kind, sentence }: Planned, feature: Feature | undefined, name: string): string {
  if (kind === "spare") return `Leave feature ${name} on: ${sentence}`;
  if (feature === undefined) return `Ask which feature "${name}" is, and switch that one off: ${sentence}`;
  return `Switch feature ${feature.name} off: ${sentence}`;
}

/** Before → after, for people; what cannot be read now is unknown before, and is switched off all the same. */
async function changesOf({ flags, budgets }: Feature, ports: Ports): Promise<readonly Change[]> {
  const ofFlags = flags.map(async (flag): Promise<Change> => {
    const reading = await ports.flagSwitches[flag.system].read(flag.key).catch(() => undefined);
    return { target: `flag/${nameOfFlag(flag)}`, field: "state", before: reading?.state ?? "unknown", after: "off" };
  });
  const ofBudgets = budgets.map(async (id): Promise<Change> => {
    const state = await ports.budgets.read(id).catch(() => undefined);
    return { target: `budget/${id}`, field: "gate", before: state?.controls.gate ?? "unknown", after: "paused" };
  });
  return (await Promise.all([...ofFlags, ...ofBudgets])).filter(({ before, after }) => before !== after);
}

function spared(name: string, { reason, sentence }: Planned): ActionOutput {
  return { needed: false, reason, sentence, feature: name, asked_for: name, ...nothingOff };
}

function noneMeant(name: string): ActionOutput {
  const sentence = "A person said that it is none of the features that runbookd.yml describes.";
  return { needed: false, reason: "none_meant", sentence, feature: noFeature, asked_for: name, ...nothingOff };
}

const nothingOff = {
  off: false,
  followers: 0,
  followers_current: 0,
  flag: "",
  refused: false,
  called: false,
  requests: null,
  running: 0,
  gaps: [],
} satisfies ActionOutput;
