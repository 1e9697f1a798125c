import type { Rollout, RolloutDecision } from "../../../packages/sdk/src/wire/rollouts.ts";
import { StepFailure } from "../../core/failure.ts";
import { isLive, type RolloutChange, type RolloutStore, shareAt } from "./rollout.ts";
import { type RolloutPorts, readRollout, shareRequestOf } from "./rollout-ports.ts";

/** Who ends or changes a rollout, when, and why. */
export interface RolloutCause {
  readonly by: string;
  /** UTC ms. */
  readonly now: number;
  /** Closed name of the reason. */
  readonly reason: string;
  /** For people. */
  readonly detail: string;
}

/** The cause of a roll-back by the undo of a run. */
export function undoneBy(runId: string, now: number): RolloutCause {
  return { by: `run:${runId}`, now, reason: "undone", detail: "a later step of the run failed and the run undid its changes" };
}

interface Ports extends Pick<RolloutPorts, "shareControls"> {
  readonly rolloutStore: Pick<RolloutStore, "read" | "change">;
}

/**
 * Gives new tickets the old variant again and ends the rollout. The share goes first: when the process dies between both, tickets are safe and the
 * rollout is ended by the next attempt. It goes once more after the end is written, because a poll may have set it in between; a later poll reads the
 * end. A rollout that was promoted is rolled back too.
 */
export async function rollBack(ports: Ports, rollout: Rollout, cause: RolloutCause): Promise<Rollout> {
  const control = ports.shareControls[rollout.subject.kind];
  if (control === undefined) throw unchangeable(rollout);
  const request = shareRequestOf(rollout, cause.by);
  await control.rollBack(request);
  if (rollout.state === "rolled_back" || rollout.state === "aborted") return rollout;
  const end = { set: { state: "rolled_back" }, decision: decisionOf(rollout, "roll_back", cause) } as const;
  const ended = await write(ports, rollout, end);
  await control.rollBack(request);
  return ended;
}

/** Gives every ticket the new variant and ends the rollout; the old variant becomes the fallback. */
export async function complete(ports: Ports, rollout: Rollout, cause: RolloutCause): Promise<Rollout> {
  const control = ports.shareControls[rollout.subject.kind];
  if (control === undefined) throw unchangeable(rollout);
  await control.complete(shareRequestOf(rollout, cause.by));
  if (!isLive(rollout)) return rollout;
  return write(ports, rollout, { set: { state: "promoted" }, decision: decisionOf(rollout, "finish", cause) });
}

/** One decision about a rollout as it is now. */
export function decisionOf(
  rollout: Rollout,
  decision: RolloutDecision["decision"],
  { by, now, reason, detail }: RolloutCause,
): RolloutDecision {
  return { at: now, decision, reason, detail, step: rollout.step, share: shareAt(rollout.plan, rollout.step), by };
}

/** Writes a change from the version that was read; a conflict is read again and judged by the caller at its next poll. */
export async function write(
  ports: Pick<Ports, "rolloutStore">,
  rollout: Rollout,
  change: Pick<RolloutChange, "set" | "decision">,
): Promise<Rollout> {
  let present = rollout;
  for (let round = 0; round < 5; round += 1) {
    const result = await ports.rolloutStore.change({ id: rollout.id, expected: present.version, ...change });
    if (result.kind === "set") return result.rollout;
    present = await readRollout(ports.rolloutStore, rollout.id);
    if (present.state === change.set.state) return present;
  }
  throw new StepFailure({
    reason: "refused_by_target",
    message: `Rollout ${rollout.id} changed five times while it was written; try again.`,
    applied: "no",
  });
}

function unchangeable({ id, subject }: Rollout): StepFailure {
  return new StepFailure({
    reason: "refused_by_target",
    message: `This installation cannot change the share of a ${subject.kind}, so rollout ${id} stays as it is.`,
    applied: "no",
  });
}
