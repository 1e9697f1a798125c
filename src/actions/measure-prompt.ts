import { z } from "zod";
import { costRatioUpper } from "../analysis/compare-versions.ts";
import type { ActionOutput } from "../core/action.ts";
import { oneUsd } from "../core/money.ts";
import { defineAction } from "./define-action.ts";
import { durationParameter, millisecondsOf } from "./parameter-types.ts";
import type { CacheSight } from "./ports.ts";
import { promptParameter, servedBy, versionParameter } from "./prompt-parameters.ts";

/** What two versions of a prompt really did. */
export const measurePrompt = defineAction({
  name: "measure-prompt",
  summary: "Measures what a version of a prompt reads from the cache and costs a request, beside another version.",
  parameters: z.strictObject({
    prompt: promptParameter(),
    ...servedBy,
    version: versionParameter("The version to measure."),
    baseline: versionParameter("The version to compare it with."),
    window: durationParameter("Only what happened so long before now counts for the version.").default("1h"),
  }),
  result: {
    prompt: "name of the prompt",
    hit: "input tokens that the version read from the cache, of all, 0 to 1; absent when nothing was seen",
    requests: "its requests in the window",
    tickets: "its tickets in the window",
    cost_usd_per_request: "its input cost",
    baseline_hit: "what the other version reads; absent when nothing was seen",
    baseline_cost_usd_per_request: "its input cost",
    cost_ratio: "cost per request, version to baseline",
    cost_ratio_upper: "upper end of its interval",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 30_000,
  probes: false,
  undoes: false,
  behave(parameters, { cache }: { readonly cache: CacheSight }) {
    const { prompt, provider, model, version, baseline } = parameters;
    const group = { prompt, provider, model };
    const windowMs = millisecondsOf(parameters.window);
    return {
      async plan() {
        return {
          summary: `Measure version ${version} of prompt ${prompt} beside version ${baseline}`,
          targets: [`prompt/${prompt}`],
          changes: [],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, { clock }) {
        const [recent, ever] = await Promise.all([
          cache.measure(group, { from: clock.now() - windowMs, coldMs: 0 }),
          cache.measure(group, { from: 0, coldMs: 0 }),
        ]);
        const own = recent.find((one) => one.version === String(version));
        const old = ever.find((one) => one.version === String(baseline));
        const upper = own === undefined || old === undefined ? undefined : costRatioUpper(own, old);
        const output: ActionOutput = {
          prompt,
          requests: own?.requests ?? 0,
          tickets: own?.tickets ?? 0,
          ...(own !== undefined && { hit: own.hit, cost_usd_per_request: own.costPerRequestMicroUsd / oneUsd }),
          ...(old !== undefined && { baseline_hit: old.hit, baseline_cost_usd_per_request: old.costPerRequestMicroUsd / oneUsd }),
          ...(own !== undefined &&
            old !== undefined &&
            old.costPerRequestMicroUsd > 0 && { cost_ratio: own.costPerRequestMicroUsd / old.costPerRequestMicroUsd }),
          ...(upper !== undefined && Number.isFinite(upper) && { cost_ratio_upper: upper }),
        };
        return { kind: "done", output };
      },
    };
  },
});
