import type { Canary } from "../../../packages/sdk/src/wire/prompts.ts";

/** The one canary that a prompt has, or none. */
export interface CanaryStore {
  read(prompt: string): Promise<Canary | null>;
  /** Writes when the present value equals `expected`; answers what stands there now in either case. */
  compareAndSet(
    prompt: string,
    expected: Canary | null,
    next: Canary | null,
  ): Promise<{ readonly set: boolean; readonly canary: Canary | null }>;
}
