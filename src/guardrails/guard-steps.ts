import type { ActionCatalogue } from "../core/action.ts";
import { kindOfTarget } from "../core/canonical-target.ts";
import type { Clock, Instant } from "../core/clock.ts";
import type { EventSink } from "../core/event.ts";
import { limitsOf } from "../core/limits.ts";
import type { Verdict } from "../core/verdict.ts";
import type { Candidate } from "../runs/engine/candidate.ts";
import type { RunEvent } from "../runs/engine/run-event.ts";
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
  const kinds = [...new Set(targets.flatMap((target) => kindOfTarget(target) ?? []))].filter((kind) => Object.hasOwn(fleets, kind));
  return Object.fromEntries(await Promise.all(kinds.map(async (kind) => [kind, (await fleets[kind]?.()) ?? 0] as const)));
}

/**
 * Keeps for the circuit breaker how the attempts of raising actions and the runs end; ignores other events.
 * `lost` is called when it could not be kept.
 */
export function rememberOutcomes(
  memory: Pick<GuardMemory, "recordFailure" | "recordSuccess" | "recordOutcome">,
  {
    actions,
    clock,
    lost,
  }: { readonly actions: Pick<ActionCatalogue, "find">; readonly clock: Pick<Clock, "now">; readonly lost: (error: unknown) => void },
): EventSink<RunEvent> {
  return (event) => {
    if (event.kind === "step_ended") {
      if (actions.find(event.action)?.risk !== "raises") return;
      const kept =
        event.outcome === "completed"
          ? memory.recordSuccess(event.action, event.targets)
          : memory.recordFailure(event.action, event.targets, `${event.runId}:${event.stepId}:${clock.now()}`);
      kept.catch(lost);
    }
    if (event.kind === "run_ended") {
      // A run that could not see, or never began, has not shown that the runbook does not help.
      if (event.outcome !== "succeeded" && event.outcome !== "ineffective") return;
      memory.recordOutcome(event.runbookId, event.outcome === "succeeded").catch(lost);
    }
  };
}
