import type { Rollout } from "../../../packages/sdk/src/wire/rollouts.ts";

/** Finds the live rollout of a target such as `route/implement`. Rejects with StoreUnavailable when the store does not answer. */
export type FindLiveRollout = (target: string) => Promise<Pick<Rollout, "id" | "state"> | undefined>;

/**
 * Says why people cannot change by hand what a live rollout controls; undefined: none does. A change by hand would drop the rollout from the target, and
 * the rollout could neither grow nor be taken back after it.
 */
export async function refuseManualChange(find: FindLiveRollout, target: string): Promise<string | undefined> {
  const rollout = await find(target);
  if (rollout === undefined) return undefined;
  const { id, state } = rollout;
  const hold = state === "running" ? `\`runbookd rollouts hold ${id} --reason …\` keeps its share, and ` : "";
  return `Rollout ${id} of ${target} is ${state} and controls this; nothing was changed. ${hold}\`runbookd rollouts take-back ${id} --reason …\` ends it.`;
}
