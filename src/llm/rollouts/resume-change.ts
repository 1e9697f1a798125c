import type { Rollout } from "../../../packages/sdk/src/wire/rollouts.ts";
import { decisionOf, type RolloutCause } from "./end-rollout.ts";
import { judgeRollout } from "./judge-rollout.ts";
import type { RolloutChange, RolloutStore } from "./rollout.ts";

/** Most tickets that a plan may compare. */
const maxPlannedTickets = 200_000;

/**
 * The change that lets a held rollout go on after a person decided so: what the counts say against the split and the assignment is accepted, and more tickets
 * are compared when the plan's were too few for a verdict. Rejects with StoreUnavailable when the store does not answer.
 */
export async function resumeChange(
  store: Pick<RolloutStore, "strata" | "misassigned">,
  rollout: Rollout,
  cause: RolloutCause,
): Promise<Omit<RolloutChange, "id" | "expected">> {
  const { id, plan } = rollout;
  const [strata, misassigned] = await Promise.all([store.strata(id), store.misassigned(id)]);
  const { tickets, split } = judgeRollout(strata, plan);
  const maxTickets = tickets < plan.maxTickets ? plan.maxTickets : Math.min(maxPlannedTickets, tickets + plan.plannedTickets);
  return {
    set: { state: "running", accepted: { logEvalue: split.logEvalue, misassigned }, plan: { ...plan, maxTickets } },
    decision: decisionOf(rollout, "stay", cause),
  };
}
