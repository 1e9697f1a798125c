import type { Clock } from "../../core/clock.ts";
import { maxOverdueAtOnce, type RolloutStore } from "./rollout.ts";

/** What looking after rollouts needs. */
export interface RolloutUpkeepDeps {
  readonly store: Pick<RolloutStore, "list" | "failOverdue">;
  readonly clock: Pick<Clock, "now">;
}

/** Counts tickets as failed that passed the deadline of their rollout. Ended rollouts count theirs too, until none is left. */
export async function failOverdueTickets({ store, clock }: RolloutUpkeepDeps, signal: AbortSignal): Promise<void> {
  for (const { id } of await store.list()) while (!signal.aborted && (await store.failOverdue(id, clock.now())) === maxOverdueAtOnce);
}
