import type { Rollout } from "../../../packages/sdk/src/wire/rollouts.ts";
import type { RunState } from "../../../packages/sdk/src/wire/runs.ts";
import type { Clock } from "../../core/clock.ts";
import { formatShare } from "../../core/share.ts";
import { isLive, maxOverdueAtOnce, type RolloutStore, shareAt } from "./rollout.ts";

/** What failing overdue tickets needs. */
export interface OverdueTicketDeps {
  readonly store: Pick<RolloutStore, "list" | "failOverdue">;
  readonly clock: Pick<Clock, "now">;
}

/** Counts tickets as failed that passed the deadline of their rollout. Ended rollouts count theirs too, until none is left. */
export async function failOverdueTickets({ store, clock }: OverdueTicketDeps, signal: AbortSignal): Promise<void> {
  for (const { id } of await store.list()) while (!signal.aborted && (await store.failOverdue(id, clock.now())) === maxOverdueAtOnce);
}

/** A live rollout whose run is over, as people are told it. */
export interface AbandonedRollout {
  /** The same for every telling of it. */
  readonly key: string;
  readonly rollout: string;
  readonly runId: string;
  readonly subject: string;
  readonly text: string;
}

/** What holding abandoned rollouts needs. */
export interface AbandonedRolloutDeps {
  readonly store: Pick<RolloutStore, "list" | "change">;
  /** Undefined: there is no such run any more. */
  readonly runState: (runId: string) => Promise<RunState | undefined>;
  /** Resolves when it is durable that people will be told; safe to repeat. */
  readonly tell: (abandoned: AbandonedRollout) => Promise<void>;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Holds each live rollout whose run has ended, is gone or cannot be read, and tells people. Its share stays as it is, because taking it back and letting it
 * grow are both decisions. From then on people drive it, until another run takes it over.
 */
export async function holdAbandonedRollouts({ store, runState, tell, clock }: AbandonedRolloutDeps, signal: AbortSignal): Promise<void> {
  for (const rollout of (await store.list()).filter(isLive)) {
    const { id, runId, version, step, plan } = rollout;
    if (signal.aborted || runId === undefined) continue;
    const state = await runState(runId);
    if (state !== undefined && state !== "ended" && state !== "damaged") continue;
    const detail = `Run ${runId}, which drove it, ${describeEnd(state)}.`;
    // Told first: what is told twice has the same key, and what was held without a word would stay so.
    await tell(describeAbandoned(rollout, runId, detail));
    const decision = {
      at: clock.now(),
      decision: "hold",
      reason: "run_over",
      detail,
      step,
      share: shareAt(plan, step),
      by: "runbookd",
    } as const;
    // After a conflict the next look decides again.
    await store.change({ id, expected: version, set: { state: "holding", runId: undefined }, decision });
  }
}

function describeAbandoned({ id, step, plan }: Rollout, runId: string, detail: string): AbandonedRollout {
  return {
    key: `rollout:${id}:${runId}`,
    rollout: id,
    runId,
    subject: `Rollout ${id} is on hold: its run is over`,
    text: [
      detail,
      `The rollout stays at ${formatShare(shareAt(plan, step))} of new tickets, and nothing looks at it, until a person decides:`,
      "",
      `  runbookd rollouts show ${id}`,
      `  runbookd rollouts start ${id} --reason '…'      (lets it go on)`,
      `  runbookd rollouts take-back ${id} --reason '…'  (new tickets get the old variant again)`,
      "",
    ].join("\n"),
  };
}

function describeEnd(state: RunState | undefined): string {
  if (state === undefined) return "is gone";
  return state === "damaged" ? "has a record that cannot be read" : "has ended";
}
