import type { Rollout } from "../../../packages/sdk/src/wire/rollouts.ts";
import { judgeRollout } from "./judge-rollout.ts";
import { nextRolloutMove, type RolloutGuard, type RolloutMove } from "./next-rollout-move.ts";
import type { StoredRolloutFacts } from "./read-rollout-facts.ts";
import { isCounting } from "./rollout.ts";

/**
 * What must not wait for the next poll of a rollout's run: harm, which takes the canary back, or a doubt about the counts, which holds it. Undefined: nothing.
 * Once every step has shown what the plan demands, the last step is judged on its own too, as the counts of earlier steps dilute a regression that begins late.
 */
export function findUrgentMove(rollout: Rollout, { facts, strata }: StoredRolloutFacts, guard: RolloutGuard): RolloutMove | undefined {
  if (!isCounting(rollout)) return undefined;
  const move = nextRolloutMove(rollout, { ...facts, guard });
  if (move.kind === "roll_back") return move;
  if (rollout.state === "running" && (move.reason === "misassigned" || move.reason === "split_broken")) return move;
  if (!isProven(rollout)) return undefined;
  const verdict = judgeRollout(
    strata.filter(({ step }) => step === rollout.step),
    rollout.plan,
  );
  const late = nextRolloutMove(rollout, { ...facts, verdict, guard });
  return late.kind === "roll_back" ? late : undefined;
}

/** Whether every step has shown what the plan demands. */
export function isProven({ decisions }: Pick<Rollout, "decisions">): boolean {
  return decisions.some(({ decision }) => decision === "finish");
}
