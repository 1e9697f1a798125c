import { bucketOf } from "../../../packages/sdk/src/assignment.ts";
import type { ArmCounts, Rollout, RolloutAssignment, RolloutStratum } from "../../../packages/sdk/src/wire/rollouts.ts";
import { shareAt } from "./rollout.ts";

/** One ticket of a rollout as it was recorded. */
export interface RecordedTicket {
  readonly id: string;
  /** The step of its exposure. */
  readonly step: number;
  readonly arm: RolloutAssignment["arm"];
  /** Absent while the ticket runs. Quality is 0 to 1; a cost of null is not known. */
  readonly outcome?: { readonly quality: number; readonly costMicroUsd: number | null };
}

/** Counts that were made anew. */
export interface RecountedRollout {
  /** By step. Give them to `judgeRollout`. */
  readonly strata: readonly RolloutStratum[];
  /** Ids of canary tickets beyond the largest share that was ever set: they cannot be the canary's and are in no stratum. */
  readonly misassigned: readonly string[];
  /** Ids of tickets whose arm is not what salt, id and the share of their step give; the misassigned are among them. */
  readonly differing: readonly string[];
}

/** The arm of a ticket under a share, 0 to 1: which every application computes on its side. */
export function recomputeArm(salt: string, share: number, ticketId: string): RolloutAssignment["arm"] {
  return bucketOf(salt, ticketId) < share ? "canary" : "baseline";
}

/** Counts the tickets of a rollout from their records alone, so that anybody can check a verdict. */
export function recountRollout(
  { salt, plan, largestShare }: Pick<Rollout, "salt" | "plan" | "largestShare">,
  tickets: Iterable<RecordedTicket>,
): RecountedRollout {
  const strata = new Map<number, { readonly canary: CountingArm; readonly baseline: CountingArm }>();
  const misassigned: string[] = [];
  const differing: string[] = [];
  for (const { id, step, arm, outcome } of tickets) {
    if (recomputeArm(salt, shareAt(plan, step), id) !== arm) differing.push(id);
    if (arm === "canary" && recomputeArm(salt, largestShare, id) === "baseline") {
      misassigned.push(id);
      continue;
    }
    const stratum = strata.get(step) ?? { canary: createArmCounts(), baseline: createArmCounts() };
    strata.set(step, stratum);
    countExposure(stratum[arm]);
    if (outcome !== undefined) countOutcome(stratum[arm], outcome);
  }
  return {
    strata: [...strata].sort(([a], [b]) => a - b).map(([step, arms]) => ({ step, share: shareAt(plan, step), ...arms })),
    misassigned,
    differing,
  };
}

/** Counts of one arm while they grow. */
export type CountingArm = { -readonly [Field in keyof ArmCounts]: ArmCounts[Field] };

/** Counts of an arm without tickets. */
export function createArmCounts(): CountingArm {
  return { exposed: 0, ended: 0, quality: 0, qualitySquares: 0, costMicroUsd: 0, costSquares: 0, costQuality: 0, unpriced: 0 };
}

/** Adds a ticket that was admitted. */
export function countExposure(arm: CountingArm): void {
  arm.exposed += 1;
}

/** Adds the end of a ticket that was admitted. */
export function countOutcome(arm: CountingArm, { quality, costMicroUsd }: NonNullable<RecordedTicket["outcome"]>): void {
  arm.ended += 1;
  arm.quality += quality;
  arm.qualitySquares += quality ** 2;
  if (costMicroUsd === null) {
    arm.unpriced += 1;
    return;
  }
  arm.costMicroUsd += costMicroUsd;
  arm.costSquares += costMicroUsd ** 2;
  arm.costQuality += costMicroUsd * quality;
}
