import { z } from "zod";
import type { Rollout, RolloutVerdict } from "../../../packages/sdk/src/wire/rollouts.ts";
import type { ActionContext, ActionResult } from "../../core/action.ts";
import { minuteMs } from "../../core/duration.ts";
import { formatShare } from "../../core/share.ts";
import { rollBack } from "./end-rollout.ts";
import type { RolloutGuard } from "./next-rollout-move.ts";
import { pollRollout } from "./poll-rollout.ts";
import { resumeChange } from "./resume-change.ts";
import { isCounting, rolloutTarget, shareAt } from "./rollout.ts";
import { type RolloutPorts, readRollout } from "./rollout-ports.ts";

/** Progress that a step which lets a rollout grow keeps from poll to poll. */
export const growthProgressSchema = z.object({
  /** For a report; it changes only when the share does. */
  headline: z.string(),
  /** For a person who looks at the run; changes at each poll. */
  note: z.string(),
  /** Whether the last poll asked a person. */
  asked: z.boolean(),
  /** Since when a decision lacks something, UTC ms. */
  blindSince: z.number().exactOptional(),
});

/** See {@link growthProgressSchema}. */
export type GrowthProgress = z.output<typeof growthProgressSchema>;

/** One poll of a step. */
export interface GrowthPoll {
  readonly context: ActionContext;
  readonly progress: GrowthProgress;
  /** Largest share to enter, 0 to 1. */
  readonly until: number;
  /** What must hold besides the guards of the plan. */
  readonly criterion?: RolloutGuard;
}

/** The growth has ended: the requested share is reached, every step has shown what the plan demands, or the rollout has ended. */
export interface PolledGrowth {
  readonly kind: "done";
  readonly rollout: Rollout;
  readonly verdict: RolloutVerdict;
  /** Whether every step has shown what the plan demands. */
  readonly proven: boolean;
  /** Why it has ended, for people. */
  readonly reason: string;
}

const noProgress: GrowthProgress = { headline: "", note: "", asked: false };
const pollsPerInterval = 5;
const minPollMs = 250;
/** Each poll is an entry of the journal, so it is not shorter. The upkeep of rollouts wakes the run when something cannot wait for it. */
const maxPollMs = 30 * minuteMs;

/** Carries out what a person answered, if a person was asked, and returns the progress for the next poll. Rejects with a StepFailure when the rollout does not exist. */
export async function carryOn(
  ports: RolloutPorts,
  id: string,
  {
    context: { answer, clock, runId },
    progress = noProgress,
  }: { readonly context: ActionContext; readonly progress: GrowthProgress | undefined },
): Promise<GrowthProgress> {
  if (!progress.asked) return progress;
  const by = `run:${runId}`;
  const now = clock.now();
  const { headline, note } = progress;
  if (answer === "take_back") {
    await rollBack(ports, await readRollout(ports.rolloutStore, id), { by, now, reason: "person", detail: "a person took it back" });
    return { headline, note, asked: false };
  }
  const rollout = await readRollout(ports.rolloutStore, id);
  if (isCounting(rollout)) {
    const cause = { by, now, reason: "person", detail: "a person decided that it goes on" };
    const change = await resumeChange(ports.rolloutStore, rollout, cause);
    // After a conflict the next poll reads what came, and asks again if it must.
    await ports.rolloutStore.change({ ...change, id, expected: rollout.version });
  }
  return { headline, note, asked: false };
}

/** Polls once, and returns what the step does next: it polls again, asks a person, or is done. Rejects with a StepFailure when the rollout does not exist. */
export async function pollResult(
  ports: RolloutPorts,
  id: string,
  { context: { clock, runId, signal }, progress: before, until, criterion }: GrowthPoll,
): Promise<Exclude<ActionResult, { readonly kind: "done" }> | PolledGrowth> {
  const polled = await pollRollout(ports, {
    id,
    by: `run:${runId}`,
    now: clock.now(),
    signal,
    until,
    memory: before,
    ...(criterion !== undefined && { criterion }),
  });
  const { rollout, verdict, move } = polled;
  const afterMs = Math.min(maxPollMs, Math.max(minPollMs, Math.round(rollout.plan.intervalMs / pollsPerInterval)));
  const { headline } = before;
  const { blindSince } = move;
  const progress: GrowthProgress = {
    headline,
    note: move.detail,
    asked: false,
    ...(blindSince !== undefined && { blindSince }),
  };
  switch (move.kind) {
    case "stay":
      return { kind: "continue", afterMs, progress, early: true };
    case "advance":
      return { kind: "continue", afterMs, progress: { ...progress, headline: move.detail }, early: true };
    case "hold":
    case "ask":
      return {
        kind: "ask",
        question: `The rollout of ${rolloutTarget(rollout.subject)} has ${formatShare(shareAt(rollout.plan, rollout.step))} of new tickets and does not go on. ${move.detail} Answer "wait" to keep this share and look again, or "take_back".`,
        answers: ["wait", "take_back"],
        progress: { ...progress, asked: true },
      };
    case "reached":
    case "finish":
    case "roll_back":
    case "ended":
      return { kind: "done", rollout, verdict, proven: move.kind === "finish", reason: move.detail };
  }
}
