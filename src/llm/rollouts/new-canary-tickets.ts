import type { Instant } from "../../core/clock.ts";
import type { RolloutStore } from "./rollout.ts";

/** For so long no ticket may have begun with the new variant before a roll-back counts as shown, in milliseconds: three times the interval at which processes ask. */
export const canarySettleMs = 15_000;

/** Which tickets began with the new variant although it had been taken back. */
export interface NewCanaryTickets {
  /** Within the last {@link canarySettleMs}; undefined: the roll-back is younger than that, and nothing is shown yet. */
  readonly recent: number | undefined;
  /** Since the roll-back: what it cost that processes heard of it late. Counts at least the last hour. */
  readonly sinceRollBack: number;
}

/**
 * Looks whether a roll-back has reached every process. A ticket that began with the new variant before is not counted, because a ticket keeps what it began
 * with. Rejects with StoreUnavailable when the store does not answer.
 */
export async function newCanaryTicketsSince(
  store: Pick<RolloutStore, "exposedSince">,
  rollout: string,
  { rolledBackAt, now }: { readonly rolledBackAt: Instant; readonly now: Instant },
): Promise<NewCanaryTickets> {
  const sinceRollBack = await store.exposedSince(rollout, "canary", rolledBackAt);
  if (now - rolledBackAt < canarySettleMs) return { recent: undefined, sinceRollBack };
  const recent = sinceRollBack === 0 ? 0 : await store.exposedSince(rollout, "canary", now - canarySettleMs);
  return { recent, sinceRollBack };
}
