import type { PromptRollout } from "../../../packages/sdk/src/wire/prompts.ts";

/** The one canary that a prompt has, or none. */
export interface PromptRolloutStore {
  read(prompt: string): Promise<PromptRollout | null>;
  /** Writes when the present value equals `expected`; answers what stands there now in either case. */
  compareAndSet(
    prompt: string,
    expected: PromptRollout | null,
    next: PromptRollout | null,
  ): Promise<{ readonly set: boolean; readonly rollout: PromptRollout | null }>;
}
