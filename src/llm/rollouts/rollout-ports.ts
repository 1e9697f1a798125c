import type { Rollout } from "../../../packages/sdk/src/wire/rollouts.ts";
import { StepFailure } from "../../core/failure.ts";
import type { PrometheusReader } from "../../core/prometheus.ts";
import type { RolloutStore } from "./rollout.ts";
import type { ShareControls, ShareRequest } from "./share-control.ts";

/** What the actions of rollouts act on. */
export interface RolloutPorts {
  readonly rolloutStore: RolloutStore;
  readonly shareControls: ShareControls;
  /** For the guards of a plan. */
  readonly prometheus: PrometheusReader;
}

/** The rollout of this id. Throws a StepFailure when there is none. */
export async function readRollout(store: Pick<RolloutStore, "read">, id: string): Promise<Rollout> {
  const rollout = await store.read(id);
  if (rollout === undefined)
    throw new StepFailure({
      reason: "refused_by_target",
      message: `There is no rollout ${id}; \`runbookd rollouts list\` lists them.`,
      applied: "no",
    });
  return rollout;
}

/** What a control needs to know of a rollout. */
export function shareRequestOf({ subject, salt, id }: Rollout, by: string): ShareRequest {
  return { subject, salt, rollout: id, by };
}
