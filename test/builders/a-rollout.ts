import { type RolloutPlan, type RolloutSubject, rolloutPlanSchema } from "../../packages/sdk/src/wire/rollouts.ts";
import type { NewRollout } from "../../src/llm/rollouts/rollout.ts";

/** A plan of a tenth, a half and all but the holdback. */
export function aRolloutPlan(change: Partial<RolloutPlan> = {}): RolloutPlan {
  return {
    ...rolloutPlanSchema.parse({ steps: [0.1, 0.5, 1], intervalMs: 60_000, deadlineMs: 600_000, lagMs: 120_000 }),
    ...change,
  };
}

/** Another model for the route `implement`. */
export function aRolloutSubject(route = "implement"): RolloutSubject {
  return {
    kind: "model",
    route,
    from: { provider: "anthropic", model: "claude-sonnet-4-5" },
    to: { provider: "anthropic", model: "claude-haiku-4-5" },
  };
}

/** A rollout before it is created. */
export function aRollout(change: Partial<NewRollout> = {}): NewRollout {
  return { id: "r1", subject: aRolloutSubject(), plan: aRolloutPlan(), salt: "salt of r1", by: "run:1", runId: "1", ...change };
}
