import { z } from "zod";
import { canonicalJson } from "../../../../packages/sdk/src/wire/json.ts";
import type { Plan } from "../../../../packages/sdk/src/wire/plans.ts";
import { promptRolloutSchema } from "../../../../packages/sdk/src/wire/prompts.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionContext } from "../../../core/action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { promptParameter } from "../../caching/cached-prompt.ts";
import { decisionOf, write } from "../../rollouts/end-rollout.ts";
import type { RolloutStore } from "../../rollouts/rollout.ts";
import { type PromptStore, productionLabel } from "../prompt.ts";
import type { PromptRolloutStore } from "../prompt-rollout-store.ts";
import { readPrompt, versionParameter } from "../stored-prompt.ts";

const dataSchema = z.object({ version: z.int(), before: z.int().nullable(), canary: promptRolloutSchema.nullable() });

/** Labels a version as production, and ends its canary. */
export const promotePrompt = defineAction({
  name: "promote-prompt",
  summary: "Labels a version of a prompt as production and ends the canary; undo gives both back.",
  parameters: z.strictObject({ prompt: promptParameter(), version: versionParameter("The version that everybody gets from now on.") }),
  result: {
    prompt: "name of the prompt",
    production: "version that is labelled production",
    before: "version that was, or null",
    at: "when it was labelled, UTC milliseconds",
  },
  effect: "set",
  risk: "raises",
  timeoutMs: 20_000,
  probes: true,
  undoes: true,
  behave(
    { prompt, version },
    ports: { readonly prompts: PromptStore; readonly rollouts: PromptRolloutStore; readonly rolloutStore: RolloutStore },
  ) {
    /** Compare-and-set of the label; pointing there already counts as done. */
    async function label(expected: number | null, to: number | null, by: string): Promise<void> {
      const result = await ports.prompts.moveLabel({ prompt, label: productionLabel, expected, to, by });
      if (result.kind === "moved" || (result.kind === "conflict" && result.present === to)) return;
      throw refused(
        result.kind === "conflict"
          ? `Prompt ${prompt} has version ${result.present ?? "none"} as production now, which another client has set; it stays.`
          : result.kind === "unsupported"
            ? result.reason
            : `Prompt ${prompt} has no version ${to ?? "none"}.`,
      );
    }

    /** A rollout of this version has reached its end. */
    async function endRollout({ runId, clock }: ActionContext): Promise<void> {
      const rollout = await ports.rolloutStore.liveOf(`prompt/${prompt}`);
      if (rollout?.subject.kind !== "prompt" || rollout.subject.to !== version) return;
      const now = clock.now();
      const cause = { by: `run:${runId}`, now, reason: "promoted", detail: `version ${version} is labelled production` };
      await write(ports, rollout, { set: { state: "promoted", endedAt: now }, decision: decisionOf(rollout, "finish", cause) });
    }

    async function output({ before }: z.output<typeof dataSchema>, { clock }: ActionContext) {
      const state = await readPrompt(ports.prompts, prompt);
      return { prompt, production: state.labels[productionLabel] ?? null, before, at: clock.now() };
    }

    return {
      async plan() {
        const state = await readPrompt(ports.prompts, prompt);
        const before = state.labels[productionLabel] ?? null;
        const rollout = await ports.rollouts.read(prompt);
        return {
          summary: `Label version ${version} of prompt ${prompt} as production (before: ${before ?? "none"})`,
          targets: [`prompt/${prompt}`],
          changes: [{ target: `prompt/${prompt}`, field: productionLabel, before, after: version }].filter(
            (one) => one.before !== one.after,
          ),
          reversible: before !== null,
          data: { version, before, canary: rollout?.version === version ? rollout : null },
        };
      },
      async run(plan, context) {
        const data = dataSchema.parse(plan.data);
        await label(data.before, version, `run:${context.runId}`);
        // Everybody has the version now; a canary of it says nothing any more.
        if (data.canary !== null) await ports.rollouts.compareAndSet(prompt, data.canary, null);
        await endRollout(context);
        return { kind: "done", output: await output(data, context) };
      },
      async probe(plan, context) {
        const currentState = await output(dataSchema.parse(plan.data), context);
        return currentState.production === version ? { kind: "applied", output: currentState } : { kind: "not_applied" };
      },
      async undo(plan: Plan, _output, { runId }) {
        const { before, canary } = dataSchema.parse(plan.data);
        await label(version, before, `run:${runId}`);
        if (canary === null) return;
        const result = await ports.rollouts.compareAndSet(prompt, null, canary);
        if (!result.set && canonicalJson(result.rollout) !== canonicalJson(canary))
          throw refused(`Prompt ${prompt} has another canary now; it stays.`);
      },
    };
  },
});

function refused(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
