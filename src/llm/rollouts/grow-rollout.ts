import { z } from "zod";
import type { Rollout, RolloutVerdict } from "../../../packages/sdk/src/wire/rollouts.ts";
import type { ActionContext, ActionResult } from "../../core/action.ts";
import { formatShare } from "../../core/share.ts";
import { rollBack } from "./end-rollout.ts";
import type { RolloutGuard } from "./next-rollout-move.ts";
import { pollRollout, resumeRollout } from "./poll-rollout.ts";
import { rolloutTarget, shareAt } from "./rollout.ts";
import { type RolloutPorts, readRollout } from "./rollout-ports.ts";

/** What a step that lets a rollout grow carries from poll to poll. */
export const growthProgressSchema = z.object({
  /** For a report; it changes only when the share does. */
  headline: z.string(),
  note: z.string(),
  asked: z.boolean(),
  /** Since when a decision lacks something, UTC ms. */
  blindSince: z.number().exactOptional(),
});

/** See {@link growthProgressSchema}. */
export type GrowthProgress = z.output<typeof growthProgressSchema>;

/** How a step asks and polls. */
export interface GrowthPoll {
  readonly context: ActionContext;
  readonly progress: GrowthProgress;
  /** Largest step to enter. */
  readonly until: number;
  /** What must hold besides the plan. */
  readonly criterion?: RolloutGuard;
}

/** The growth is over: as far as was asked, to its end, or back. */
export interface PolledGrowth {
  readonly kind: "done";
  readonly rollout: Rollout;
  readonly verdict: RolloutVerdict;
  /** Whether every step has shown what the plan demands. */
  readonly proven: boolean;
  /** For people. */
  readonly reason: string;
}

const noProgress: GrowthProgress = { headline: "", note: "", asked: false };
const pollsPerInterval = 5;
const minPollMs = 250;

/** Does what a person answered, and returns the progress to go on with. */
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
  await resumeRollout(ports, id, { by, now });
  return { headline, note, asked: false };
}

/** Polls once, and says what the step does next. */
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
  const afterMs = Math.max(minPollMs, Math.round(rollout.plan.intervalMs / pollsPerInterval));
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
      return { kind: "continue", afterMs, progress };
    case "advance":
      return { kind: "continue", afterMs, progress: { ...progress, headline: move.detail } };
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
