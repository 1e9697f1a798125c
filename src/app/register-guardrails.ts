import type { RunCandidate, RunGuards } from "../alerts/prepare-run.ts";
import type { Risk } from "../core/action.ts";
import { limitsOf } from "../core/limits.ts";
import { cooldown } from "../guardrails/cooldown.ts";
import { combineVerdicts, guardrailNames } from "../guardrails/evaluate-guardrails.ts";
import { runRate } from "../guardrails/run-rate.ts";
import { actionCatalogue } from "./action-registry.ts";
import type { Runtime } from "./runtime.ts";

/** The guardrails that an alert's run passes before it is accepted. */
export function registerGuardrails({ config, metrics }: Runtime): RunGuards {
  metrics.initializeGuardrails(guardrailNames);
  return (candidate, facts) =>
    combineVerdicts([cooldown(candidate, facts), runRate(startOf(candidate), limitsOf(config.guardrails, candidate.limits))]);
}

function startOf({ runbookId, actions }: RunCandidate): { readonly runbookId: string; readonly risks: readonly Risk[] } {
  const risks = actions.flatMap(({ name, parameters }) => {
    const spec = actionCatalogue.find(name);
    return spec === undefined ? [] : [spec.effectOf(parameters) === "read" ? ("none" as const) : spec.risk];
  });
  return { runbookId, risks };
}
