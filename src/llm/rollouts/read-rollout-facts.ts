import type { Rollout, RolloutStratum } from "../../../packages/sdk/src/wire/rollouts.ts";
import { judgeRollout } from "./judge-rollout.ts";
import type { RolloutFacts } from "./next-rollout-move.ts";
import type { RolloutStore } from "./rollout.ts";

/** Where the facts of a rollout are read from. */
export type RolloutFactSource = Pick<RolloutStore, "strata" | "misassigned" | "exposedSince">;

/** What the store knows of a rollout, and the counts that the verdict follows from. The guards and what an earlier poll remembered are the caller's. */
export interface StoredRolloutFacts {
  readonly facts: Omit<RolloutFacts, "guard" | "blindSince">;
  readonly strata: readonly RolloutStratum[];
}

/** Reads what the store knows of a rollout at `now`, UTC ms. Rejects with StoreUnavailable when the store does not answer. */
export async function readRolloutFacts(store: RolloutFactSource, rollout: Rollout, now: number): Promise<StoredRolloutFacts> {
  const { id, plan, accepted } = rollout;
  const since = now - plan.intervalMs;
  const [strata, misassigned, canaries, baselines] = await Promise.all([
    store.strata(id),
    store.misassigned(id),
    store.exposedSince(id, "canary", since),
    store.exposedSince(id, "baseline", since),
  ]);
  const facts = { now, verdict: judgeRollout(strata, plan), recentExposures: canaries + baselines, misassigned, accepted };
  return { facts, strata };
}
