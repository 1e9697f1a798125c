import type { ActionCatalogue } from "../core/action.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { limitsOf } from "../core/limits.ts";
import type { Verdict } from "../core/verdict.ts";
import type { Candidate } from "../runs/engine/candidate.ts";
import type { EngineObserver } from "../runs/engine/engine-observer.ts";
import { kindOf } from "./blast-radius.ts";
import { evaluateGuardrails } from "./evaluate-guardrails.ts";
import { isRaise, touchedTargets } from "./guardrail.ts";
import type { GuardMemory } from "./redis-store.ts";

/** What an installation decided about guardrails. */
export interface GuardSettings {
  readonly guardrails: { readonly [limit: string]: number };
  readonly protectedTargets: readonly string[];
}

/** How many targets of a kind there are, for the kinds that can be counted. Rejects when it cannot be counted now: then nothing is raised. */
export type Fleets = { readonly [kind: string]: () => Promise<number> };

/** The guardrails of a step with what is known about the time before. What lowers risk is judged without asking for it. */
export function guardSteps(settings: GuardSettings, memory: Pick<GuardMemory, "read">, fleets: Fleets = {}) {
  return async (candidate: Candidate, now: Instant): Promise<Verdict> => {
    const { runbook, fingerprint, action } = candidate;
    const policy = { limits: limitsOf(settings.guardrails, runbook.limits), protectedTargets: settings.protectedTargets };
    if (!isRaise(action)) return evaluateGuardrails(candidate, now, { policy });
    const targets = touchedTargets(candidate);
    const facts = await memory.read({
      runbookId: runbook.id,
      ...(fingerprint !== undefined && { fingerprint }),
      action: action.name,
      targets,
    });
    return evaluateGuardrails(candidate, now, { facts: { ...facts, fleet: await countFleets(fleets, targets) }, policy });
  };
}

async function countFleets(fleets: Fleets, targets: readonly string[]): Promise<{ readonly [kind: string]: number }> {
  const kinds = [...new Set(targets.flatMap((target) => kindOf(target) ?? []))].filter((kind) => Object.hasOwn(fleets, kind));
  return Object.fromEntries(await Promise.all(kinds.map(async (kind) => [kind, (await fleets[kind]?.()) ?? 0] as const)));
}

/** Lets the circuit breaker hear how the attempts of raising actions and the runs end. `lost` is told when it could not be remembered. */
export function rememberOutcomes(
  observer: EngineObserver,
  memory: Pick<GuardMemory, "failed" | "worked" | "helped">,
  about: { readonly actions: Pick<ActionCatalogue, "find">; readonly clock: Clock; readonly lost: (error: unknown) => void },
): EngineObserver {
  return {
    ...observer,
    stepEnded(step) {
      observer.stepEnded(step);
      if (about.actions.find(step.action)?.risk !== "raises") return;
      const told =
        step.outcome === "completed"
          ? memory.worked(step.action, step.targets)
          : memory.failed(step.action, step.targets, `${step.runId}:${step.stepId}:${about.clock.now()}`);
      told.catch(about.lost);
    },
    ended(run) {
      observer.ended(run);
      // Whoever could not see, or never began, has not shown that the runbook does not help.
      if (run.outcome !== "succeeded" && run.outcome !== "ineffective") return;
      memory.helped(run.runbookId, run.outcome === "succeeded").catch(about.lost);
    },
  };
}
