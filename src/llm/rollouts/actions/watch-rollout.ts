import { z } from "zod";
import type { RolloutVerdict } from "../../../../packages/sdk/src/wire/rollouts.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import { formatShare } from "../../../core/share.ts";
import { checkGuards } from "../check-guards.ts";
import { costRatioOf } from "../cost-ratio-of.ts";
import { judgeRollout } from "../judge-rollout.ts";
import { isSplitBroken } from "../next-rollout-move.ts";
import { rolloutTarget, shareAt } from "../rollout.ts";
import { rolloutParameter } from "../rollout-parameter.ts";
import { type RolloutPorts, readRollout } from "../rollout-ports.ts";

const progressSchema = z.object({ since: z.number(), unseenSince: z.number().nullable(), headline: z.string(), note: z.string() });

const polls = 24;
const minPollMs = 250;
/** A guard that continuously cannot be judged for this part of the watch could hide a regression, so the watch ends as worse. */
const maxUnseenPart = 0.5;

/** Watches a rollout at its last step. Its control is the holdback, whose tickets ran in the same hours. */
export const watchRollout = defineAction({
  name: "watch-rollout",
  summary:
    "Watches a rollout at its last step for a time; `worse` when its tickets fall behind those of the holdback, cost more, or a guard returns a series.",
  parameters: z.strictObject({
    rollout: rolloutParameter,
    for: durationParameter("How long it is watched.").default("1d"),
  }),
  result: {
    rollout: "id of the rollout",
    worse: "whether it is shown to be worse or dearer, is not running any more, or could not be judged, because of a guard or the split",
    difference: "quality of the new variant less that of the holdback; null while it is unknown",
    cost_ratio: "cost of a success, new to holdback; null while it is unknown",
    holdback_tickets: "tickets of the holdback that have ended at the last step",
    reason: "why the watch ended, for people",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 60_000,
  probes: false,
  undoes: false,
  behave(parameters, { rolloutStore, prometheus }: Omit<RolloutPorts, "shareControls">) {
    const { rollout: id } = parameters;
    const watchMs = millisecondsOf(parameters.for);
    return {
      async plan() {
        const rollout = await readRollout(rolloutStore, id);
        const target = rolloutTarget(rollout.subject);
        return {
          summary: `Watch the rollout of ${target} for ${parameters.for}`,
          targets: [target],
          changes: [],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, { progress, clock, signal }) {
        const now = clock.now();
        const before = progress === undefined ? { since: now, unseenSince: null, headline: "", note: "" } : progressSchema.parse(progress);
        const rollout = await readRollout(rolloutStore, id);
        await rolloutStore.failOverdue(id, now);
        const strata = await rolloutStore.strata(id);
        const guard = await checkGuards(rollout.plan.guards, { prometheus, signal });
        const whole = judgeRollout(strata, rollout.plan);
        // The counts of earlier steps dilute a regression that begins now, so the last step is judged on its own too.
        const last = judgeRollout(
          strata.filter(({ step }) => step === rollout.step),
          rollout.plan,
        );
        const unseenSince = guard.kind === "unseen" ? (before.unseenSince ?? now) : null;
        const end = (worse: boolean, reason: string) => ({
          kind: "done" as const,
          output: {
            rollout: id,
            worse,
            difference: last.quality?.difference ?? null,
            cost_ratio: costRatioOf(last),
            holdback_tickets: last.baseline.ended,
            reason,
          },
        });
        if (rollout.state !== "running")
          return end(true, `the rollout is ${rollout.state}: ${rollout.decisions.at(-1)?.detail ?? "no decision is recorded"}`);
        if (guard.kind === "broken") return end(true, guard.text);
        const harm = harmOf(last) ?? harmOf(whole);
        if (harm !== undefined) return end(true, harm);
        const { accepted } = rollout;
        const misassigned = await rolloutStore.misassigned(id);
        if (misassigned > (accepted?.misassigned ?? 0) || isSplitBroken(whole, accepted))
          return end(true, "the tickets are not split as the shares say, so that a regression could not be seen");
        if (unseenSince !== null && now - unseenSince >= watchMs * maxUnseenPart)
          return end(true, `a guard could not be judged: ${guard.kind === "unseen" ? guard.text : ""}`);
        if (now - before.since >= watchMs) return end(false, `no regression was seen for ${parameters.for}`);
        const note = `${formatShare(shareAt(rollout.plan, rollout.step))} of new tickets; ${last.canary.ended} tickets of the new variant and ${last.baseline.ended} of the holdback have ended`;
        return {
          kind: "continue",
          afterMs: Math.max(minPollMs, Math.min(Math.round(watchMs / polls), before.since + watchMs - now)),
          progress: { since: before.since, unseenSince, headline: before.headline, note },
          early: true,
        };
      },
    };
  },
});

/** Why the counts show harm, if they do. */
function harmOf({ quality, cost, catastrophe }: RolloutVerdict): string | undefined {
  if (catastrophe.shown) return "more of its first tickets failed than chance explains";
  if (quality?.shownWorse === true)
    return `its quality is ${formatPoints(quality.difference)} points lower, and the interval excludes zero`;
  if (cost.kind === "compared" && cost.shownDear) return `a success costs ${Math.exp(cost.logRatio).toFixed(2)} times as much`;
  return undefined;
}

function formatPoints(difference: number): string {
  return Math.abs(difference * 100).toFixed(1);
}
