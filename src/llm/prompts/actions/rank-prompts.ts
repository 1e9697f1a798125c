import { z } from "zod";
import type { SampleGroup } from "../../../../packages/sdk/src/wire/caches.ts";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { formatUsd, oneUsd } from "../../../core/money.ts";
import type { CacheAnalysisReader } from "../../caching/cache-analysis-reader.ts";
import { promptParameter, servedBy } from "../../caching/cached-prompt.ts";

const rowsShown = 20;

/** Which prompts lose most by their layout, and whether this one is worth a change. */
export const rankPrompts = defineAction({
  name: "rank-prompts",
  summary: "Ranks prompts by the money that their layout loses a day, and says whether one of them is among the first and worth a change.",
  parameters: z.strictObject({
    prompt: promptParameter(),
    ...servedBy,
    top: z.int().min(1).max(rowsShown).default(3).meta({ description: "How many prompts are ranked as worth a change at once." }),
    least_usd_per_day: z.number().min(0).default(5).meta({ description: "A smaller loss is not worth a change." }),
  }),
  result: {
    prompt: "name of the prompt that was asked about",
    worth: "whether it is among the first and loses enough",
    rank: "its place by loss, from 1; absent when it could not be judged",
    lost_usd_per_day: "what its layout loses a day; absent when it could not be judged",
    rows: "first 20 of {prompt, provider, model, hit, achievable, lost_usd_per_day}, the greatest loss first",
    unjudged: "{prompt, why} of those that could not be judged",
    sentence: "the verdict for people",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 120_000,
  probes: false,
  undoes: false,
  behave(parameters, { cache }: { readonly cache: CacheAnalysisReader }) {
    const { prompt, provider, model, top } = parameters;
    const minLoss = parameters.least_usd_per_day * oneUsd;
    const isRequested = (group: SampleGroup) => group.prompt === prompt && group.provider === provider && group.model === model;
    return {
      async plan() {
        return {
          summary: "Rank prompts by what their layout loses",
          targets: [`prompt/${prompt}`],
          changes: [],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, { signal }) {
        const requestedGroup = { prompt, provider, model };
        const others = (await cache.list()).filter((state) => !isRequested(state));
        const judged: { readonly group: SampleGroup; readonly hit: number; readonly achievable?: number; readonly lost: number }[] = [];
        const unjudged: { readonly group: SampleGroup; readonly why: string }[] = [];
        for (const { reply, ...group } of [...others, { ...requestedGroup, reply: await cache.analyze(requestedGroup, signal) }]) {
          if (reply.kind === "missing") unjudged.push({ group, why: reply.sentence });
          else if (reply.analysis.calibration.verdict === "refused") unjudged.push({ group, why: reply.analysis.calibration.sentence });
          else {
            const { measuredHit: hit, achievableHit: achievable, lostPerDay: lost } = reply.analysis;
            judged.push({ group, hit, lost, ...(achievable !== undefined && { achievable }) });
          }
        }
        judged.sort((a, b) => b.lost - a.lost);
        const rank = judged.findIndex(({ group }) => isRequested(group)) + 1;
        const requested = judged[rank - 1];
        const worth = requested !== undefined && rank <= top && requested.lost >= minLoss;
        const output: ActionOutput = {
          prompt,
          worth,
          ...(requested !== undefined && { rank, lost_usd_per_day: requested.lost / oneUsd }),
          rows: judged.slice(0, rowsShown).map(({ group, hit, achievable, lost }) => ({
            prompt: group.prompt,
            provider: group.provider,
            model: group.model,
            hit,
            ...(achievable !== undefined && { achievable }),
            lost_usd_per_day: lost / oneUsd,
          })),
          unjudged: unjudged.slice(0, rowsShown).map(({ group, why }) => ({ prompt: group.prompt, why })),
          sentence:
            requested === undefined
              ? `${prompt} could not be judged: ${unjudged.find(({ group }) => isRequested(group))?.why ?? ""}`
              : sentenceOf(prompt, requested.lost, { rank, top, minLoss }),
        };
        return { kind: "done", output };
      },
    };
  },
});

function sentenceOf(prompt: string, lost: number, { rank, top, minLoss }: { rank: number; top: number; minLoss: number }): string {
  const loses = `${prompt} loses ${formatUsd(Math.round(lost))} a day by its layout`;
  if (lost < minLoss) return `${loses}; below ${formatUsd(minLoss)} nothing is changed.`;
  if (rank > top) return `${loses} and is number ${rank}; the first ${top} come before it.`;
  return `${loses} and is number ${rank}.`;
}
