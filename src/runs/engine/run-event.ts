/** What happens in the engine. */
export type RunEvent = RunClaimed | StepEnded | FirstEffect | StepRefused | WriteFenced | RunEnded;

/** A worker has taken the run. */
interface RunClaimed {
  readonly kind: "run_claimed";
  readonly runId: string;
  readonly runbookId: string;
  readonly stalls: number;
  /** How long a run that was in the middle of its work had no worker; absent when it was waiting. */
  readonly idleMs?: number;
}

/** An attempt of a step has ended. */
export interface StepEnded {
  readonly kind: "step_ended";
  readonly runId: string;
  readonly stepId: string;
  readonly action: string;
  readonly outcome: "completed" | "failed" | "in_doubt";
  readonly ms: number;
  /** What the plan touches. */
  readonly targets: readonly string[];
}

/** The run has changed something for the first time. */
interface FirstEffect {
  readonly kind: "first_effect";
  /** Since the run was accepted. */
  readonly afterAcceptMs: number;
}

/** A guardrail has refused a step, or has made it wait for a permission. */
interface StepRefused {
  readonly kind: "step_refused";
  readonly guardrail: string;
}

/** A write was refused because another worker holds the run. */
interface WriteFenced {
  readonly kind: "write_fenced";
  readonly runId: string;
}

/** The run has ended. */
interface RunEnded {
  readonly kind: "run_ended";
  readonly runId: string;
  readonly runbookId: string;
  readonly outcome: string;
  /** Since the run was accepted. */
  readonly ms: number;
}
