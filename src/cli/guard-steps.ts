import type { Clock, Instant } from "../core/clock.ts";
import type { Verdict } from "../core/verdict.ts";
import type { ActionCatalogue } from "../core/action.ts";
import type { Candidate, EngineObserver } from "../engine/ports.ts";
import { evaluateGuardrails } from "../guardrails/evaluate-guardrails.ts";
import { isRaise } from "../guardrails/guardrail.ts";
import { limitsOf } from "../guardrails/limits.ts";
import type { GuardMemory } from "../redis/guard-facts.ts";

/** What an installation decided about guardrails. */
export interface GuardSettings {
  readonly guardrails: { readonly [limit: string]: number };
  readonly protectedTargets: readonly string[];
}

/** The guardrails of a step with what is known about the time before. What lowers risk is judged without asking for it. */
export function guardSteps(settings: GuardSettings, memory: Pick<GuardMemory, "read">) {
  return async (candidate: Candidate, now: Instant): Promise<Verdict> => {
    const { runbook, fingerprint, action } = candidate;
    const policy = { limits: limitsOf(settings.guardrails, runbook.limits), protectedTargets: settings.protectedTargets };
    if (!isRaise(action)) return evaluateGuardrails(candidate, now, undefined, policy);
    const facts = await memory.read({
      runbookId: runbook.id,
      ...(fingerprint !== undefined && { fingerprint }),
      action: action.name,
    });
    return evaluateGuardrails(candidate, now, facts, policy);
  };
}

/** Lets the circuit breaker hear how the attempts of raising actions end. `lost` is told when it could not be remembered. */
export function rememberOutcomes(
  observer: EngineObserver,
  memory: Pick<GuardMemory, "failed" | "worked">,
  about: { readonly actions: Pick<ActionCatalogue, "find">; readonly clock: Clock; readonly lost: (error: unknown) => void },
): EngineObserver {
  return {
    ...observer,
    stepEnded(step) {
      observer.stepEnded(step);
      if (about.actions.find(step.action)?.risk !== "raises") return;
      const told =
        step.outcome === "completed"
          ? memory.worked(step.action)
          : memory.failed(step.action, `${step.runId}:${step.stepId}:${about.clock.now()}`);
      told.catch(about.lost);
    },
  };
}
