import { z } from "zod";
import type { ActionOutput, Plan } from "../../../../packages/sdk/src/wire/plans.ts";
import type { PromptLayout } from "../../../../packages/sdk/src/wire/prompt-layout.ts";
import { type PromptVersion, promptRolloutSchema } from "../../../../packages/sdk/src/wire/prompts.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf, promqlParameter } from "../../../actions/parameter-types.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import type { PrometheusReader } from "../../../core/prometheus.ts";
import { formatShare } from "../../../core/share.ts";
import type { CacheAnalysisReader } from "../../caching/cache-analysis-reader.ts";
import { promptParameter, servedBy } from "../../caching/cached-prompt.ts";
import { costRatioUpper, type VersionMeasure } from "../../caching/compare-versions.ts";
import { canaryLabel, type PromptStore, productionLabel } from "../prompt.ts";
import type { PromptRolloutStore } from "../prompt-rollout-store.ts";
import { readPrompt, versionParameter } from "../stored-prompt.ts";
import { judgeHarm } from "./judge-harm.ts";
import { createRolloutControl, describeRollout, type RolloutControl, refused } from "./rollout-control.ts";
import { nextPromptRolloutMove, type PromptRolloutFacts, type PromptRolloutMove } from "./rollout-ramp.ts";

const dataSchema = z.object({
  version: z.int(),
  /** As it was measured before anybody got the new version: later there may be too few samples left of it. */
  baseline: z.object({ hit: z.number().nullable(), costPerRequestMicroUsd: z.number(), costLogVariance: z.number().exactOptional() }),
  before: promptRolloutSchema.nullable(),
  labelBefore: z.int().nullable(),
  shares: z.array(z.number()).min(1),
});

const progressSchema = z.object({
  stage: z.number().int(),
  since: z.number(),
  reached: z.array(z.number()),
  asked: z.boolean(),
  /** What a report tells; it changes only when the canary moves. */
  headline: z.string(),
  note: z.string(),
});
type Progress = z.output<typeof progressSchema>;

const pollsPerStep = 5;

/** Gives a version to a growing share of the tickets, and takes it back by itself when it harms. */
export const deployCanary = defineAction({
  name: "deploy-canary",
  summary:
    "Gives a version of a prompt to a tenth of the tickets, then to half, then to all, each measured; takes it back by itself when it reads less, harms, or a person says so.",
  parameters: z.strictObject({
    prompt: promptParameter(),
    ...servedBy,
    version: versionParameter("The version to try."),
    predicted_hit: z
      .number()
      .min(0)
      .max(1)
      .meta({ description: "What it should read from the cache; nine tenths of it, or 0.8, is needed." }),
    shares: z
      .array(z.number().gt(0).max(1))
      .min(1)
      .max(8)
      .refine((shares) => shares.every((share, index) => index === 0 || share > (shares[index - 1] ?? 0)), { message: "must grow" })
      .default([0.1, 0.5, 1])
      .meta({ description: "Shares of the tickets, one a stage." }),
    every: durationParameter("How long each stage lasts at least.").default("1h"),
    min_tickets: z.int().min(2).default(30).meta({ description: "Tickets of the canary that each stage must have seen." }),
    cold: durationParameter("The first while of a version finds a cold cache and does not count.").default("10m"),
    harm: z
      .array(promqlParameter("A query that answers nothing while all is well."))
      .max(5)
      .default([])
      .meta({ format: "promql", description: "Queries that must answer nothing; an answer takes the canary back." }),
    outcomes: z.array(promqlParameter("A number of tickets.")).length(4).exactOptional().meta({
      format: "promql",
      description:
        "Four counts: ended tickets of the canary, those of them that succeeded, and both of the baseline. A canary that is shown to succeed less often is taken back; looking often makes no difference.",
    }),
  }),
  result: {
    prompt: "name of the prompt",
    version: "the version that was tried",
    share: "share of the tickets that has it now",
    shares: "shares that were reached, in order",
    hit: "what it read at the last look, 0 to 1; absent when nothing was seen",
    baseline_hit: "what the version before reads; absent when nothing was seen",
    cost_ratio_upper: "upper end of the interval of cost per request, new to old; absent when it cannot be told",
    tickets: "tickets of the last stage",
    verified: "whether all stages were passed",
    why: "the last reason, for people",
  },
  effect: "set",
  risk: "raises",
  timeoutMs: 60_000,
  probes: false,
  undoes: true,
  behave(
    parameters,
    ports: {
      readonly prompts: PromptStore;
      readonly rollouts: PromptRolloutStore;
      readonly cache: CacheAnalysisReader;
      readonly prometheus: PrometheusReader;
    },
  ) {
    const { prompt, provider, model, version } = parameters;
    const everyMs = millisecondsOf(parameters.every);
    const coldMs = millisecondsOf(parameters.cold);
    const pollIntervalMs = Math.max(250, Math.round(everyMs / pollsPerStep));
    const rules = { everyMs, minTickets: parameters.min_tickets, predictedHit: parameters.predicted_hit };
    const group = { prompt, provider, model };

    return {
      async plan() {
        const state = await readPrompt(ports.prompts, prompt);
        const baseline = state.labels[productionLabel];
        const tried = await ports.prompts.version(prompt, version);
        const present = baseline === undefined ? undefined : await ports.prompts.version(prompt, baseline);
        if (baseline === undefined || present === undefined || tried === undefined)
          throw refused(`Prompt ${prompt} has no version ${version}, or nothing is labelled production.`);
        if (baseline === version) throw refused(`Version ${version} of prompt ${prompt} is labelled production already.`);
        const before = await ports.rollouts.read(prompt);
        if (before !== null && before.share > 0)
          throw refused(
            `Version ${before.version} of prompt ${prompt} is a canary already, for ${formatShare(before.share)} of the tickets.`,
          );
        const { shares } = parameters;
        const measured = (await ports.cache.measure(group, { from: 0, coldMs })).find((one) => one.version === String(baseline));
        return {
          summary: `Give version ${version} of prompt ${prompt} to ${shares.map((share) => formatShare(share)).join(", then ")} of the tickets, each for ${parameters.every} or longer${whyAsked(tried)}`,
          targets: [`prompt/${prompt}`],
          changes: [
            {
              target: `prompt/${prompt}`,
              field: "canary",
              before: describeRollout(before),
              after: `version ${version} for up to ${formatShare(shares.at(-1) ?? 1)}`,
            },
            ...layoutChanges(present, tried),
          ],
          reversible: true,
          data: {
            version,
            baseline: {
              hit: measured?.hit ?? null,
              costPerRequestMicroUsd: finite(measured?.costPerRequestMicroUsd),
              ...(measured?.costLogVariance !== undefined && { costLogVariance: finite(measured.costLogVariance) }),
            },
            before,
            labelBefore: state.labels[canaryLabel] ?? null,
            shares: [...shares],
          },
        };
      },
      async run(plan, context) {
        const data = dataSchema.parse(plan.data);
        const now = context.clock.now();
        let progress: Progress =
          context.progress === undefined
            ? { stage: -1, since: now, reached: [], asked: false, headline: "", note: "" }
            : progressSchema.parse(context.progress);
        const facts = await readFacts(progress, data, context);
        const control = controlOf(data, context);
        if (progress.asked) {
          if (context.answer === "take_back") return takeBack({ progress, facts }, "a person took it back", control);
          progress = { ...progress, asked: false, since: now };
        }
        return act(
          nextPromptRolloutMove(progress, facts, rules),
          { progress, facts },
          { shares: data.shares, control, clock: context.clock },
        );
      },
      async undo(plan, _output, context) {
        await controlOf(dataSchema.parse(plan.data), context).restore();
      },
    };

    async function readFacts(
      progress: Progress,
      { baseline, shares }: z.output<typeof dataSchema>,
      context: ActionContext,
    ): Promise<Facts> {
      const measured = await ports.cache.measure(group, { from: progress.since, coldMs });
      const candidate = progress.stage < 0 ? undefined : measured.find((one) => one.version === String(version));
      const harm = await judgeHarm(
        { harm: parameters.harm, outcomes: parameters.outcomes },
        { canaryHasTickets: (candidate?.tickets ?? 0) >= parameters.min_tickets },
        { prometheus: ports.prometheus, signal: context.signal },
      );
      return {
        now: context.clock.now(),
        lastStep: shares.length - 1,
        candidate,
        baselineHit: baseline.hit ?? undefined,
        costRatioUpper: candidate === undefined ? undefined : costRatioUpper(candidate, baseline),
        harm,
      };
    }

    async function act(
      move: PromptRolloutMove,
      look: RolloutLook,
      {
        shares,
        control,
        clock,
      }: { readonly shares: readonly number[]; readonly control: RolloutControl; readonly clock: ActionContext["clock"] },
    ): Promise<ActionResult> {
      const { progress, facts } = look;
      switch (move.kind) {
        case "take_back":
          return takeBack(look, move.why, control);
        case "finish":
          return { kind: "done", output: outputOf(progress, facts, { share: shares.at(-1) ?? 1, verified: true, why: move.why }) };
        case "ask":
          return {
            kind: "ask",
            question: `Version ${version} of prompt ${prompt} is with ${formatShare(shares[progress.stage] ?? 0)} of the tickets and there is no verdict: ${move.why}. Answer "wait" to go on looking, or "take_back".`,
            answers: ["wait", "take_back"],
            progress: { ...progress, asked: true },
          };
        case "stay":
          await control.settle(shares[progress.stage]);
          return { kind: "continue", afterMs: pollIntervalMs, progress: { ...progress, note: move.why } };
        case "advance": {
          const step = progress.stage + 1;
          const share = shares[step] ?? 1;
          await control.settle(shares[step]);
          return {
            kind: "continue",
            afterMs: pollIntervalMs,
            progress: {
              stage: step,
              since: clock.now(),
              reached: [...progress.reached, share],
              asked: false,
              headline: `${move.why}; now ${formatShare(share)} of the tickets`,
              note: move.why,
            },
          };
        }
      }
    }

    function controlOf({ before, labelBefore }: z.output<typeof dataSchema>, { runId }: ActionContext): RolloutControl {
      return createRolloutControl(ports, { prompt, version, runId, before, labelBefore });
    }

    async function takeBack({ progress, facts }: RolloutLook, why: string, control: RolloutControl): Promise<ActionResult> {
      await control.restore();
      return { kind: "done", output: outputOf(progress, facts, { share: 0, verified: false, why }) };
    }

    function outputOf(
      progress: Progress,
      facts: Facts,
      end: { readonly share: number; readonly verified: boolean; readonly why: string },
    ): ActionOutput {
      return {
        prompt,
        version,
        ...end,
        shares: progress.reached,
        ...(facts.candidate !== undefined && { hit: facts.candidate.hit }),
        ...(facts.baselineHit !== undefined && { baseline_hit: facts.baselineHit }),
        ...(facts.costRatioUpper !== undefined && Number.isFinite(facts.costRatioUpper) && { cost_ratio_upper: facts.costRatioUpper }),
        tickets: facts.candidate?.tickets ?? 0,
      };
    }
  },
});

/** What a person who is asked sees of the two versions. */
function layoutChanges({ prompt, layout }: PromptVersion, tried: PromptVersion): Plan["changes"] {
  const layers = (of: PromptLayout) => of.layers.map(({ key, role }) => `${key} (${role})`).join(", ");
  const markers = (of: PromptLayout) => of.breakpoints.map(({ afterLayer, ttl }) => `${afterLayer} (${ttl})`).join(", ") || "none";
  return [
    { field: "layers", before: layers(layout), after: layers(tried.layout) },
    { field: "markers", before: markers(layout), after: markers(tried.layout) },
  ]
    .filter(({ before, after }) => before !== after)
    .map((change) => ({ target: `prompt/${prompt}`, ...change }));
}

/** Why the static gate wants a person, where it does. */
function whyAsked({ evidence }: PromptVersion): string {
  const parsed = z.object({ reasons: z.array(z.string()) }).safeParse(evidence);
  return parsed.success && parsed.data.reasons.length > 0 ? `; ${parsed.data.reasons.join("; ")}` : "";
}

interface Facts extends PromptRolloutFacts {
  readonly candidate: VersionMeasure | undefined;
}

/** How far the canary is, and what was measured of it. */
interface RolloutLook {
  readonly progress: Progress;
  readonly facts: Facts;
}

/** JSON has no NaN; a cost that is not known proves nothing. */
function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : 0;
}
