import type { Rollout } from "../../../packages/sdk/src/wire/rollouts.ts";
import type { RunState } from "../../../packages/sdk/src/wire/runs.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import { minuteMs } from "../../core/duration.ts";
import { StepFailure } from "../../core/failure.ts";
import { formatShare } from "../../core/share.ts";
import { rollBack } from "./end-rollout.ts";
import { findUrgentMove } from "./find-urgent-move.ts";
import type { RolloutGuard, RolloutMove } from "./next-rollout-move.ts";
import { type RolloutFactSource, readRolloutFacts } from "./read-rollout-facts.ts";
import { isCounting, isLive, maxOverdueAtOnce, type RolloutStore, rolloutTarget, shareAt } from "./rollout.ts";
import type { ShareControls } from "./share-control.ts";

/** What failing overdue tickets needs. */
export interface OverdueTicketDeps {
  readonly store: Pick<RolloutStore, "list" | "failOverdue">;
  readonly clock: Pick<Clock, "now">;
}

/** Counts tickets as failed that passed the deadline of their rollout. Ended rollouts count theirs too, until none is left. */
export async function failOverdueTickets({ store, clock }: OverdueTicketDeps, signal: AbortSignal): Promise<void> {
  for (const { id } of await store.list()) while (!signal.aborted && (await store.failOverdue(id, clock.now())) === maxOverdueAtOnce);
}

/** What people are told of a live rollout. */
export interface RolloutNews {
  /** The same each time that the same is told. */
  readonly key: string;
  readonly rollout: string;
  /** The run that drives or drove it; absent when people drive it. */
  readonly runId?: string;
  readonly subject: string;
  readonly text: string;
}

/** What holding abandoned rollouts needs. */
export interface AbandonedRolloutDeps {
  readonly store: Pick<RolloutStore, "list" | "change">;
  /** Undefined: there is no such run any more. */
  readonly runState: (runId: string) => Promise<RunState | undefined>;
  /** Resolves when it is durable that people will be told; safe to repeat. */
  readonly notify: (news: RolloutNews) => Promise<void>;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Holds each live rollout whose run has ended, is gone or cannot be read, and tells people. Its share stays as it is, because taking it back and letting it
 * grow are both decisions. From then on people drive it, until another run takes it over.
 */
export async function holdAbandonedRollouts({ store, runState, notify, clock }: AbandonedRolloutDeps, signal: AbortSignal): Promise<void> {
  for (const rollout of (await store.list()).filter(isLive)) {
    const { id, runId, version, step, plan } = rollout;
    if (signal.aborted || runId === undefined) continue;
    const state = await runState(runId);
    if (state !== undefined && state !== "ended" && state !== "damaged") continue;
    const detail = `Run ${runId}, which drove it, ${describeEnd(state)}.`;
    // Told first: what is told twice has the same key, and what was held without a word would stay so.
    await notify(describeAbandoned(rollout, runId, detail));
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

function describeAbandoned({ id, step, plan }: Rollout, runId: string, detail: string): RolloutNews {
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

/** What acting on urgent news of rollouts needs. */
export interface UrgentRolloutDeps {
  readonly store: Pick<RolloutStore, "list" | "read" | "change"> & RolloutFactSource;
  readonly controls: ShareControls;
  /** Asks the guards of a plan. */
  readonly guard: (guards: readonly string[], signal: AbortSignal) => Promise<RolloutGuard>;
  /** Whether a run waits for a person, so that waking it changes nothing. */
  readonly waitsForPerson: (runId: string) => Promise<boolean>;
  /** Lets a sleeping run poll now. */
  readonly wake: (runId: string) => Promise<void>;
  /** Whether a freeze holds the roll-back of this target back. */
  readonly isFrozen: (target: string) => Promise<boolean>;
  /** See {@link AbandonedRolloutDeps}. */
  readonly notify: (news: RolloutNews) => Promise<void>;
  readonly clock: Pick<Clock, "now">;
}

/** A run that was woken and did not act, because a freeze holds it back or its worker died, is woken again after this time. */
const wakeAgainMs = minuteMs;

/**
 * Makes a pass over all live rollouts that acts at once on what cannot wait for the next poll of a run: it wakes the run that drives the rollout. Where none can
 * act, because people drive the rollout or its run waits for a person, harm is taken back here and people are told; a doubt about the counts then waits for
 * them, as it keeps the share.
 */
export function createUrgentPass(deps: UrgentRolloutDeps): (signal: AbortSignal) => Promise<void> {
  const { store, guard, waitsForPerson, wake, clock } = deps;
  const woken = new Map<string, Instant>();
  return async (signal) => {
    const live = (await store.list()).filter(isCounting);
    for (const id of woken.keys()) if (!live.some((rollout) => rollout.id === id)) woken.delete(id);
    for (const rollout of live) {
      if (signal.aborted) return;
      const now = clock.now();
      const { id, runId, plan } = rollout;
      const move = findUrgentMove(rollout, await readRolloutFacts(store, rollout, now), await guard(plan.guards, signal));
      if (move === undefined) continue;
      if (runId !== undefined && !(await waitsForPerson(runId))) {
        const last = woken.get(id);
        if (last !== undefined && now - last < wakeAgainMs) continue;
        woken.set(id, now);
        await wake(runId);
      } else if (move.kind === "roll_back") await takeBackHarmed(deps, rollout, move);
    }
  };
}

async function takeBackHarmed(
  { store, controls, isFrozen, notify, clock }: UrgentRolloutDeps,
  rollout: Rollout,
  { reason, detail }: RolloutMove,
): Promise<void> {
  const { id, runId, subject } = rollout;
  if (await isFrozen(rolloutTarget(subject))) return;
  // Told first, as in `holdAbandonedRollouts`: what was taken back without a word would stay so.
  await notify({
    key: `rollout:${id}:harm`,
    rollout: id,
    ...(runId !== undefined && { runId }),
    subject: `Rollout ${id} is taken back: ${reason}`,
    text: [
      detail,
      `New tickets get the old variant again. ${runId === undefined ? "No run drives this rollout" : `Run ${runId}, which drives it, waits for a person`}, so runbookd did not wait.`,
      "",
      `  runbookd rollouts show ${id}`,
      "",
    ].join("\n"),
  });
  try {
    await rollBack({ rolloutStore: store, shareControls: controls }, rollout, { by: "runbookd", now: clock.now(), reason, detail });
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    await notify({
      key: `rollout:${id}:refused`,
      rollout: id,
      ...(runId !== undefined && { runId }),
      subject: `Rollout ${id} could not be taken back`,
      text: `${error.failure.message}\n\nRead the ${rolloutTarget(subject)} and take the new variant back by hand.\n`,
    });
  }
}
