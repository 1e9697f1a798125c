import { z } from "zod";
import type { ActionOutput, Plan } from "../../../../packages/sdk/src/wire/plans.ts";
import type { Stability } from "../../../../packages/sdk/src/wire/prompt-layout.ts";
import { newPromptVersionSchema, type PromptVersion } from "../../../../packages/sdk/src/wire/prompts.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { CacheAnalysisReader } from "../../caching/cache-analysis-reader.ts";
import { promptParameter, readAnalysis, servedBy } from "../../caching/cached-prompt.ts";
import { judgeLayoutChange } from "../judge-layout-change.ts";
import { type PromptStore, productionLabel } from "../prompt.ts";
import { type LayoutAdvice, restructurePrompt } from "../restructure-layout.ts";
import { readPrompt } from "../stored-prompt.ts";

const dataSchema = z.object({ prompt: z.string(), parent: z.int(), draft: newPromptVersionSchema, output: z.record(z.string(), z.json()) });

/** Drafts a version whose layout can be cached. It has no label, so nobody gets it before another step says so. */
export const restructurePromptAction = defineAction({
  name: "restructure-prompt",
  summary:
    "Drafts a version of a prompt by the transforms that its analysis advises, with markers and lifetimes from the search; refuses what cannot be proven to say the same.",
  parameters: z.strictObject({ prompt: promptParameter(), ...servedBy }),
  result: {
    prompt: "name of the prompt",
    version: "the draft",
    parent: "the version that it was made from: the one labelled production",
    changes: "one sentence each",
    predicted_hit: "input tokens that it will read from the cache, of all, 0 to 1",
    measured_hit: "what its parent reads",
    predicted_cost_ratio: "input cost that it will have, to what its parent has",
    approval: "auto, or person when much of the text moves",
    reasons: "why a person is needed",
    moved_share: "tokens that stand elsewhere, of all, 0 to 1",
    causes: "what breaks the prefix of its parent, one sentence each",
  },
  effect: "set",
  risk: "none",
  timeoutMs: 120_000,
  probes: true,
  undoes: false,
  behave(parameters, { prompts, cache }: { readonly prompts: PromptStore; readonly cache: CacheAnalysisReader }) {
    const { prompt } = parameters;

    /** The same layout is the same version, so that a second time finds the first. */
    async function draft(plan: Plan, by: string): Promise<ActionOutput> {
      const { draft: wanted, output } = dataSchema.parse(plan.data);
      const made = await prompts.create(prompt, wanted, by);
      return { ...output, version: made.version };
    }

    return {
      async plan(context) {
        const state = await readPrompt(prompts, prompt);
        const number = state.labels[productionLabel];
        const parent = number === undefined ? undefined : await prompts.version(prompt, number);
        if (parent === undefined) throw refused(`No version of prompt ${prompt} is labelled production; there is nothing to restructure.`);
        const analysis = await readAnalysis(cache, parameters, context);
        if (analysis.blocked !== undefined) throw refused(`${blocks[analysis.blocked]} ${analysis.calibration.sentence}`);
        const advice = adviceOf(analysis);
        const made = restructurePrompt(parent.layout, advice);
        if (!made.ok) throw refused(`Nothing was drafted: ${made.faults.join("; ")}.`);
        if (made.changes.length === 0) throw refused(`The layout of prompt ${prompt} is as advised already; the cause lies elsewhere.`);
        const sizes = new Map(analysis.units.map(({ unit, tokens }) => [unit, tokens]));
        const verdict = judgeLayoutChange(parent.layout, made.layout, (key) => sizes.get(key));
        if (verdict.faults.length > 0) throw refused(`It cannot be proven to say the same: ${verdict.faults.slice(0, 10).join("; ")}.`);
        const { hit, costPerDay } = layoutOf(analysis);
        const output = {
          prompt,
          parent: parent.version,
          changes: [...made.changes],
          predicted_hit: hit,
          measured_hit: analysis.measuredHit,
          predicted_cost_ratio: analysis.costPerDay === 0 ? 1 : costPerDay / analysis.costPerDay,
          approval: verdict.approval,
          reasons: [...verdict.reasons],
          moved_share: verdict.movedShare,
          causes: analysis.causes.map(({ sentence }) => sentence),
        };
        return planOf(parent, made.layout, output);
      },
      async run(plan, { runId }) {
        return { kind: "done", output: await draft(plan, `run:${runId}`) };
      },
      async probe(plan, { runId }) {
        return { kind: "applied", output: await draft(plan, `run:${runId}`) };
      },
    };
  },
});

const blocks = {
  uncalibrated: "The replay does not tell what was measured, so nothing is changed on its word.",
  no_layers: "The prompt is not rendered from layers, so nothing can be moved.",
  nothing_to_gain: "A better layout would save next to nothing.",
  not_the_layout: "What would mend it is the application's to do; a better layout alone would save next to nothing.",
};

function refused(message: string): StepFailure {
  return new StepFailure({ reason: "prerequisite_false", message, applied: "no" });
}

type Analysis = Awaited<ReturnType<typeof readAnalysis>>;
type Advised = Pick<Analysis, "causes" | "transforms" | "units" | "markers" | "predictedHit" | "predictedCostPerDay" | "byLayout">;

/** The part of a prediction that a layout can keep. */
function layoutOf({ markers, predictedHit, predictedCostPerDay, byLayout }: Advised): NonNullable<Analysis["byLayout"]> {
  return byLayout ?? { markers, hit: predictedHit, costPerDay: predictedCostPerDay };
}

/** An analysis in the words of a layout. What only the application can do (pinning parameters, a leader before a fan-out) is told and not done. */
export function adviceOf(analysis: Advised): LayoutAdvice {
  const { causes, transforms, units } = analysis;
  const conditional = new Set(causes.flatMap((cause) => (cause.class === "conditional_section" ? [cause.unit] : [])));
  const unitStabilities = units.map(({ unit, stability }): [string, Stability] => [unit, conditional.has(unit) ? "ticket" : stability]);
  return {
    canonical: transforms.includes("T1"),
    volatile: causes.flatMap(({ transform, unit }) => (transform === "T2" ? [unit] : [])),
    ...(transforms.includes("T3") || transforms.includes("T4") ? { stabilities: new Map(unitStabilities) } : {}),
    breakpoints: layoutOf(analysis).markers.map(({ after, ttl }) => ({ afterLayer: after, ttl })),
  };
}

function planOf(parent: PromptVersion, layout: PromptVersion["layout"], output: ActionOutput): Plan {
  const { prompt, version } = parent;
  const changes = Array.isArray(output["changes"]) ? output["changes"] : [];
  const draft = newPromptVersionSchema.parse({
    layout,
    origin: "optimizer",
    parent: version,
    note: "Drafted so that more of it is read from the cache.",
    evidence: output,
  });
  return {
    summary: `Draft a version of prompt ${prompt} from version ${version}: ${changes.join("; ")}`,
    targets: [`prompt/${prompt}`],
    changes: [{ target: `prompt/${prompt}`, field: "draft", before: version, after: changes.join("; ").slice(0, 1000) }],
    reversible: true,
    data: { prompt, parent: version, draft: JSON.parse(JSON.stringify(draft)), output },
  };
}
