/** One ticket's work with one version of a prompt. */
export interface EvaluatedSide {
  /** 0 to 1; 1 for an accepted answer. */
  readonly quality: number;
  readonly costMicroUsd: number;
}

/** The same ticket with both versions. */
export interface EvaluatedPair {
  readonly ticketId: string;
  readonly baseline: EvaluatedSide;
  readonly candidate: EvaluatedSide;
}

/** How an evaluation stands. */
export type EvaluationState =
  | { readonly kind: "running"; readonly done: number; readonly of: number }
  | { readonly kind: "done"; readonly pairs: readonly EvaluatedPair[] }
  | { readonly kind: "failed"; readonly reason: string };

/** Lets the application work on the same tickets with two versions, without publishing anything. Rejects with StepFailure. */
export interface PromptEvaluator {
  /** The same key is the same evaluation. */
  start(
    wanted: { readonly prompt: string; readonly baseline: number; readonly candidate: number; readonly tickets: number },
    key: string,
    signal: AbortSignal,
  ): Promise<{ readonly id: string }>;
  read(id: string, signal: AbortSignal): Promise<EvaluationState>;
}
