import { canonicalJson } from "../../../../packages/sdk/src/wire/json.ts";
import type { PromptRollout } from "../../../../packages/sdk/src/wire/prompts.ts";
import { StepFailure } from "../../../core/failure.ts";
import { formatShare } from "../../../core/share.ts";
import { canaryLabel, type PromptStore } from "../prompt.ts";
import type { PromptRolloutStore } from "../prompt-rollout-store.ts";

/** The canary of one prompt in the hands of one run. Both members throw StepFailure `refused_by_target` when somebody else changed it. */
export interface RolloutControl {
  /** Gives the version to this share of the tickets, by compare-and-set; equal counts as done. Undefined leaves it as it is. */
  settle(share: number | undefined): Promise<void>;
  /** Makes it what it was before. Only what this run set is taken back; a third value is somebody's decision. */
  restore(): Promise<void>;
}

/** What a run knows of the canary that it sets. */
export interface RolloutContext {
  readonly prompt: string;
  readonly version: number;
  readonly runId: string;
  /** The canary and the version labelled so before this run. */
  readonly before: PromptRollout | null;
  readonly labelBefore: number | null;
}

/** Sets and takes back the canary of one prompt, and its label with it. */
export function createRolloutControl(
  { prompts, rollouts }: { readonly prompts: Pick<PromptStore, "moveLabel">; readonly rollouts: PromptRolloutStore },
  { prompt, version, runId, before, labelBefore }: RolloutContext,
): RolloutControl {
  const by = `run:${runId}`;

  /** What is there now; it must be what this run found or set. */
  async function ours(): Promise<PromptRollout | null> {
    const present = await rollouts.read(prompt);
    if (canonicalJson(present) === canonicalJson(before) || (present?.version === version && present.salt === runId)) return present;
    throw refused(`Somebody else changed the canary of prompt ${prompt} meanwhile (${describeRollout(present)}); it stays as it is.`);
  }

  return {
    async settle(share) {
      if (share === undefined) return;
      const wanted: PromptRollout = { version, share, salt: runId };
      for (let tries = 0; tries < 5; tries += 1) {
        const present = await ours();
        if (canonicalJson(present) === canonicalJson(wanted)) break;
        if ((await rollouts.compareAndSet(prompt, present, wanted)).set) break;
      }
      await prompts.moveLabel({ prompt, label: canaryLabel, expected: labelBefore, to: version, by });
    },
    async restore() {
      const result = await rollouts.compareAndSet(prompt, await ours(), before);
      if (!result.set) throw refused(`The canary of prompt ${prompt} changed while it was taken back.`);
      // A store that cannot take a label away keeps it; without a share it means nothing.
      await prompts.moveLabel({ prompt, label: canaryLabel, expected: version, to: labelBefore, by });
    },
  };
}

/** The failure of a step that the state of a prompt forbids. */
export function refused(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}

/** A canary in words, e.g. `version 3 for 10 %`. */
export function describeRollout(rollout: PromptRollout | null): string {
  return rollout === null ? "none" : `version ${rollout.version} for ${formatShare(rollout.share)}`;
}
