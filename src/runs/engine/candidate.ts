import type { Plan } from "../../../packages/sdk/src/wire/plans.ts";
import type { Runbook, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { RunSummary } from "../../../packages/sdk/src/wire/runs.ts";
import type { BoundAction } from "../../core/action.ts";

/** One mutating step that wants to happen. */
export interface Candidate {
  readonly runId: string;
  readonly runbook: Runbook;
  readonly step: Step;
  readonly action: BoundAction;
  readonly plan: Plan;
  readonly mode: RunSummary["mode"];
  readonly target: string | undefined;
  /** A person has already permitted exactly this plan. */
  readonly approved: boolean;
  /** Targets that this run has raised already, by its intents. */
  readonly raised: readonly string[];
  /** An alert started this run, not a person. */
  readonly byMachine: boolean;
  /** Of the alert that started the run. */
  readonly fingerprint?: string;
  readonly alertName?: string;
}
