/** Receives what the engine reports to telemetry; never throws, never awaited. */
export interface EngineObserver {
  /** `idleMs`: how long a run that was in the middle of its work had no worker; absent when it was waiting. */
  claimed(run: { readonly runId: string; readonly runbookId: string; readonly stalls: number; readonly idleMs?: number }): void;
  stepEnded(step: {
    readonly runId: string;
    readonly stepId: string;
    readonly action: string;
    readonly outcome: "completed" | "failed" | "in_doubt";
    readonly ms: number;
    /** What the plan touches. */
    readonly targets: readonly string[];
  }): void;
  firstEffect(afterAcceptMs: number): void;
  refused(guardrail: string): void;
  fenced(runId: string): void;
  ended(run: { readonly runId: string; readonly runbookId: string; readonly outcome: string; readonly ms: number }): void;
}
