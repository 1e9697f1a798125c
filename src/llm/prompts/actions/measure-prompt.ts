import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import { oneUsd } from "../../../core/money.ts";
import type { CacheAnalysisReader } from "../../caching/cache-analysis-reader.ts";
import { promptParameter, servedBy } from "../../caching/cached-prompt.ts";
import { versionParameter } from "../stored-prompt.ts";

/** What a version of a prompt really did. */
export const measurePrompt = defineAction({
  name: "measure-prompt",
  summary: "Measures what a version of a prompt reads from the cache and costs a request.",
  parameters: z.strictObject({
    prompt: promptParameter(),
    ...servedBy,
    version: versionParameter("The version to measure."),
    window: durationParameter("Only what happened so long before now counts.").default("1h"),
  }),
  result: {
    prompt: "name of the prompt",
    hit: "input tokens that the version read from the cache, of all, 0 to 1; absent when nothing was seen",
    requests: "its requests in the window",
    tickets: "its tickets in the window",
    cost_usd_per_request: "its input cost",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 30_000,
  probes: false,
  undoes: false,
  behave(parameters, { cache }: { readonly cache: CacheAnalysisReader }) {
    const { prompt, provider, model, version } = parameters;
    const group = { prompt, provider, model };
    const windowMs = millisecondsOf(parameters.window);
    return {
      async plan() {
        return {
          summary: `Measure version ${version} of prompt ${prompt}`,
          targets: [`prompt/${prompt}`],
          changes: [],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, { clock }) {
        const measured = await cache.measure(group, { from: clock.now() - windowMs, coldMs: 0 });
        const measure = measured.find((one) => one.version === String(version));
        const output: ActionOutput = {
          prompt,
          requests: measure?.requests ?? 0,
          tickets: measure?.tickets ?? 0,
          ...(measure !== undefined && measure.requests > 0 && { hit: measure.hit }),
          ...(measure !== undefined &&
            Number.isFinite(measure.costPerRequestMicroUsd) && { cost_usd_per_request: measure.costPerRequestMicroUsd / oneUsd }),
        };
        return { kind: "done", output };
      },
    };
  },
});
