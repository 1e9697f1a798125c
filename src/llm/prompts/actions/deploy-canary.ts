import { z } from "zod";
import type { ActionOutput, Plan } from "../../../../packages/sdk/src/wire/plans.ts";
import type { PromptLayout } from "../../../../packages/sdk/src/wire/prompt-layout.ts";
import type { PromptVersion } from "../../../../packages/sdk/src/wire/prompts.ts";
import { type Rollout, rolloutPlanSchema } from "../../../../packages/sdk/src/wire/rollouts.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf, promqlParameter } from "../../../actions/parameter-types.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import { sha256 } from "../../../core/json.ts";
import { formatShare } from "../../../core/share.ts";
import type { CacheAnalysisReader } from "../../caching/cache-analysis-reader.ts";
import { promptParameter, servedBy } from "../../caching/cached-prompt.ts";
import { costRatioUpper } from "../../caching/compare-versions.ts";
import { rollBack, undoneBy } from "../../rollouts/end-rollout.ts";
import { carryOn, type GrowthProgress, growthProgressSchema, type PolledGrowth, pollResult } from "../../rollouts/grow-rollout.ts";
import { shareAt } from "../../rollouts/rollout.ts";
import type { RolloutPorts } from "../../rollouts/rollout-ports.ts";
import { refusedRollout } from "../../rollouts/rollout-subject.ts";
import { type PromptStore, productionLabel } from "../prompt.ts";
import type { PromptRolloutStore } from "../prompt-rollout-store.ts";
import { readPrompt, versionParameter } from "../stored-prompt.ts";
import { type CacheMeasure, judgeCache } from "./judge-cache.ts";

const dataSchema = z.object({
  from: z.int(),
  plan: rolloutPlanSchema,
  /** As it was measured before a ticket got the new version: later there may be too few samples left of it. */
  baseline: z.object({ hit: z.number().nullable(), costPerRequestMicroUsd: z.number(), costLogVariance: z.number().exactOptional() }),
});
type CanaryData = z.output<typeof dataSchema>;

/** As it was before rollouts had a record: the run's id was the salt. */
const oldProgressSchema = z.object({ stage: z.int(), since: z.number() });

/** Gives a version of a prompt to a growing share of the tickets: a rollout whose version must also read what was predicted from the cache. */
export const deployCanary = defineAction({
  name: "deploy-canary",
  summary:
    "Gives a version of a prompt to a tenth of the tickets, then to half, then to all, each measured; takes it back when it reads less, its tickets succeed less often, or a person says so.",
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
      .meta({ description: "Shares of the tickets, one per step." }),
    every: durationParameter("How long each step lasts at least.").default("1h"),
    min_tickets: z.int().min(2).default(30).meta({ description: "Tickets of the canary that must have ended in each step." }),
    margin: z.number().gt(0).max(0.5).default(0.1).meta({ description: "Its tickets may succeed less often by less than this, of 1." }),
    deadline: durationParameter("A ticket that has not ended after this time counts as failed.").default("6h"),
    cold: durationParameter("The first requests of a version find a cold cache; for this time they do not count.").default("10m"),
    harm: z
      .array(promqlParameter("A query that returns nothing while all is well."))
      .max(5)
      .default([])
      .meta({ format: "promql", description: "Queries that must return nothing; a series takes the canary back." }),
  }),
  result: {
    prompt: "name of the prompt",
    version: "the version that was tried",
    rollout: "id of the rollout",
    share: "share of the tickets that has it now",
    shares: "shares that were reached, in order",
    hit: "what it read at the last look, 0 to 1; absent when nothing was seen",
    baseline_hit: "what the version before reads; absent when nothing was seen",
    cost_ratio_upper: "upper end of the interval of cost per request, new to old; absent when it cannot be told",
    tickets: "tickets of the canary that have ended",
    verified: "whether all steps were passed",
    why: "the last reason, for people",
  },
  effect: "set",
  risk: "raises",
  timeoutMs: 60_000,
  probes: false,
  undoes: true,
  behave(
    parameters,
    ports: RolloutPorts & { readonly prompts: PromptStore; readonly rollouts: PromptRolloutStore; readonly cache: CacheAnalysisReader },
  ) {
    const { prompt, provider, model, version } = parameters;
    const coldMs = millisecondsOf(parameters.cold);
    const group = { prompt, provider, model };
    const target = `prompt/${prompt}`;
    const idOf = ({ idempotencyKey }: ActionContext) => `ro-${sha256(idempotencyKey).slice(0, 16)}`;

    return {
      async plan() {
        const state = await readPrompt(ports.prompts, prompt);
        const from = state.labels[productionLabel];
        const tried = await ports.prompts.version(prompt, version);
        const present = from === undefined ? undefined : await ports.prompts.version(prompt, from);
        if (from === undefined || present === undefined || tried === undefined)
          throw refusedRollout(`Prompt ${prompt} has no version ${version}, or no version is labelled production.`);
        if (from === version) throw refusedRollout(`Version ${version} of prompt ${prompt} is labelled production already.`);
        const live = await ports.rolloutStore.liveOf(target);
        if (live !== undefined) throw refusedRollout(`Rollout ${live.id} of prompt ${prompt} is ${live.state}; one rollout at a time.`);
        const trial = await ports.shareControls.prompt?.trialOf({ kind: "prompt", prompt });
        if (trial !== undefined && trial.share > 0)
          throw refusedRollout(`A version of prompt ${prompt} is a canary already, for ${formatShare(trial.share)} of the tickets.`);
        const { shares } = parameters;
        const measured = (await ports.cache.measure(group, { from: 0, coldMs })).find((one) => one.version === String(from));
        const plan = rolloutPlanSchema.parse({
          steps: [...shares],
          intervalMs: millisecondsOf(parameters.every),
          minPerStep: parameters.min_tickets,
          margin: parameters.margin,
          // What a request costs is judged from its samples, which know the cold first requests.
          costLimit: null,
          holdback: 0,
          deadlineMs: millisecondsOf(parameters.deadline),
          lagMs: 0,
          guards: [...parameters.harm],
        });
        return {
          summary: `Give version ${version} of prompt ${prompt} to ${shares.map((share) => formatShare(share)).join(", then ")} of the tickets, each for ${parameters.every} or longer${whyAsked(tried)}`,
          targets: [target],
          changes: [
            { target, field: "canary", before: "none", after: `version ${version} for up to ${formatShare(shares.at(-1) ?? 1)}` },
            ...layoutChanges(present, tried),
          ],
          reversible: true,
          data: {
            from,
            plan,
            baseline: {
              hit: measured?.hit ?? null,
              costPerRequestMicroUsd: finite(measured?.costPerRequestMicroUsd),
              ...(measured?.costLogVariance !== undefined && { costLogVariance: finite(measured.costLogVariance) }),
            },
          },
        };
      },
      async run(plan, context): Promise<ActionResult> {
        const data = dataSchema.parse(plan.data);
        const rollout = await begin(data, context);
        const progress = await carryOn(ports, rollout.id, { context, progress: progressOf(context) });
        const measured = await measure(rollout, data);
        const polled = await pollResult(ports, rollout.id, {
          context,
          progress,
          until: 1,
          criterion: judgeCache(measured, { predictedHit: parameters.predicted_hit, isLast: rollout.step >= data.plan.steps.length - 1 }),
        });
        return polled.kind === "done" ? { kind: "done", output: outputOf(polled, measured) } : polled;
      },
      async undo(_plan, output, { runId, clock }) {
        const done = z.object({ rollout: z.string() }).safeParse(output);
        // A step that did not come to its end has no output; its rollout is live then.
        const rollout = done.success ? await ports.rolloutStore.read(done.data.rollout) : await ports.rolloutStore.liveOf(target);
        if (rollout?.runId === runId) await rollBack(ports, rollout, undoneBy(runId, clock.now()));
      },
    };

    /** The rollout of this attempt, which a second call finds. A canary that an older version of runbookd began goes on at its step, with new counts. */
    async function begin({ from, plan }: CanaryData, context: ActionContext): Promise<Rollout> {
      const old = oldProgressSchema.safeParse(context.progress);
      if (old.success) await adopt(context);
      const rollout = (await ports.rolloutStore.read(idOf(context))) ?? (await create(old.success ? context.runId : idOf(context)));
      if (!old.success || old.data.stage < 0 || rollout.state !== "planned") return rollout;
      const set = { state: "running", step: old.data.stage, stepSince: context.clock.now() } as const;
      const result = await ports.rolloutStore.change({ id: rollout.id, expected: rollout.version, set });
      return result.rollout ?? rollout;

      async function create(salt: string): Promise<Rollout> {
        const subject = { kind: "prompt", prompt, from, to: version } as const;
        const { runId } = context;
        const created = await ports.rolloutStore.create({ id: idOf(context), subject, plan, salt, by: `run:${runId}`, runId });
        if (created.kind !== "created" && created.kind !== "exists")
          throw refusedRollout(`Another rollout of prompt ${prompt} is live; one rollout at a time.`);
        return created.rollout;
      }
    }

    /** Names the rollout in the canary of this run that an older version set without one; the share would be refused as that of another rollout. */
    async function adopt(context: ActionContext): Promise<void> {
      const canary = await ports.rollouts.read(prompt);
      if (canary?.version === version && canary.salt === context.runId && canary.rollout === undefined)
        await ports.rollouts.compareAndSet(prompt, canary, { ...canary, rollout: idOf(context) });
    }

    async function measure(rollout: Rollout, { baseline }: CanaryData): Promise<CacheMeasure> {
      const measured = rollout.step < 0 ? [] : await ports.cache.measure(group, { from: rollout.stepSince, coldMs });
      const candidate = measured.find((one) => one.version === String(version));
      return {
        candidate: rollout.step < 0 ? "none" : candidate,
        baselineHit: baseline.hit ?? undefined,
        costRatioUpper: candidate === undefined ? undefined : costRatioUpper(candidate, baseline),
      };
    }

    function outputOf(polled: PolledGrowth, measured: CacheMeasure): ActionOutput {
      const { rollout, verdict, proven, reason } = polled;
      const { candidate, baselineHit, costRatioUpper: upper } = measured;
      return {
        prompt,
        version,
        rollout: rollout.id,
        share: rollout.state === "running" ? shareAt(rollout.plan, rollout.step) : 0,
        shares: rollout.plan.steps.filter((share) => share <= rollout.largestShare),
        ...(typeof candidate === "object" && { hit: candidate.hit }),
        ...(baselineHit !== undefined && { baseline_hit: baselineHit }),
        ...(upper !== undefined && Number.isFinite(upper) && { cost_ratio_upper: upper }),
        tickets: verdict.canary.ended,
        verified: proven,
        why: reason,
      };
    }
  },
});

/** Progress of this attempt; that of an older version of runbookd counts as none. */
function progressOf({ progress }: ActionContext): GrowthProgress | undefined {
  const parsed = growthProgressSchema.safeParse(progress);
  return parsed.success ? parsed.data : undefined;
}

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

/** JSON has no NaN; a cost that is not known proves nothing. */
function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : 0;
}
