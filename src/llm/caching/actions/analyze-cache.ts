import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { formatUsd, oneUsd } from "../../../core/money.ts";
import { formatShare } from "../../../core/share.ts";
import type { CacheAnalysisReader } from "../cache-analysis-reader.ts";
import { promptParameter, readAnalysis, servedBy } from "../cached-prompt.ts";

const causesShown = 8;

/** What a prompt reads from the cache, what it could read, and what breaks it. */
export const analyzeCache = defineAction({
  name: "analyze-cache",
  summary:
    "Analyses the caching of one prompt on one model: hit ratio, what it could be, what that costs a day, and what breaks the prefix.",
  parameters: z.strictObject({ prompt: promptParameter(), ...servedBy }),
  result: {
    prompt: "name of the prompt",
    hit: "input tokens read from the cache, of all, 0 to 1, as measured",
    achievable: "the best that its blocks allow; absent when the replay does not describe this cache",
    predicted_hit: "with the mended layout",
    cost_usd_per_day: "of input, as measured",
    lost_usd_per_day: "beyond what the mended layout would cost",
    causes: `first ${causesShown} of {unit, class, transform, risk, sentence, hit_after}`,
    transforms: "names of the transforms that the prediction includes",
    markers: "{after, ttl} that the prediction includes",
    sentence: "the verdict for people",
    calibration: "how well the replay tells what was measured",
    blocked: "why nothing may be changed without a person; absent when something may",
    requests: "how many requests were looked at",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 120_000,
  probes: false,
  undoes: false,
  behave(parameters, { cache }: { readonly cache: CacheAnalysisReader }) {
    const { prompt } = parameters;
    return {
      async plan() {
        return {
          summary: `Analyse the caching of prompt ${prompt}`,
          targets: [`prompt/${prompt}`],
          changes: [],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, context) {
        const analysis = await readAnalysis(cache, parameters, context);
        const output: ActionOutput = {
          prompt,
          hit: analysis.measuredHit,
          ...(analysis.achievableHit !== undefined && { achievable: analysis.achievableHit }),
          predicted_hit: analysis.predictedHit,
          cost_usd_per_day: analysis.costPerDay / oneUsd,
          lost_usd_per_day: analysis.lostPerDay / oneUsd,
          causes: analysis.causes.slice(0, causesShown).map((cause) => ({
            unit: cause.unit,
            class: cause.class,
            transform: cause.transform,
            risk: cause.risk,
            sentence: cause.sentence,
            hit_after: cause.hitAfter,
          })),
          transforms: [...analysis.transforms],
          markers: analysis.markers.map(({ after, ttl }) => ({ after, ttl })),
          sentence: sentenceOf(prompt, analysis),
          calibration: analysis.calibration.sentence,
          ...(analysis.blocked !== undefined && { blocked: analysis.blocked }),
          requests: analysis.requests,
        };
        return { kind: "done", output };
      },
    };
  },
});

type AnalysisSummary = Pick<
  Awaited<ReturnType<typeof readAnalysis>>,
  "measuredHit" | "predictedHit" | "lostPerDay" | "causes" | "calibration"
>;

function sentenceOf(prompt: string, { measuredHit, predictedHit, lostPerDay, causes, calibration }: AnalysisSummary): string {
  const better =
    calibration.verdict === "refused"
      ? `nobody can tell what it could read. ${calibration.sentence}`
      : `could read ${formatShare(predictedHit, { decimals: 1 })}; that loses ${formatUsd(lostPerDay)} a day.`;
  const why = causes.slice(0, 3).map(({ sentence }) => sentence);
  return [`${prompt} reads ${formatShare(measuredHit, { decimals: 1 })} of its input from the cache and ${better}`, ...why].join(" ");
}
