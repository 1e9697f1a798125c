import type { RolloutVerdict } from "../../../packages/sdk/src/wire/rollouts.ts";

/** Cost of a success, canary to baseline; null while it is unknown. */
export function costRatioOf({ cost }: Pick<RolloutVerdict, "cost">): number | null {
  return cost.kind === "compared" ? Math.exp(cost.logRatio) : cost.kind === "free" ? 0 : null;
}
