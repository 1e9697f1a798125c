import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { postSteps } from "../runs/engine/next-move.ts";
import type { StepName } from "./rehearsal.ts";

/** Id of the step that a rehearsal names by number or by id; undefined when the runbook has none. */
export function stepIdOf(runbook: Runbook, name: StepName): string | undefined {
  const step = runbook.steps.find(({ id, number }) => id === name || String(number) === name);
  return (step ?? postSteps(runbook).find(({ id }) => id === name))?.id;
}
