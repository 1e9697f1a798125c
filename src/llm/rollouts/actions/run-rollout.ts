import { z } from "zod";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionResult } from "../../../core/action.ts";
import { formatShare } from "../../../core/share.ts";
import { costRatioOf } from "../cost-ratio-of.ts";
import { rollBack, undoneBy } from "../end-rollout.ts";
import { carryOn, growthProgressSchema, type PolledGrowth, pollResult } from "../grow-rollout.ts";
import { isLive, rolloutTarget, shareAt } from "../rollout.ts";
import { rolloutParameter } from "../rollout-parameter.ts";
import { type RolloutPorts, readRollout } from "../rollout-ports.ts";
import { describeVariants, refusedRollout } from "../rollout-subject.ts";

/** Lets a rollout grow step by step, and takes it back when its variant is shown to be worse or dearer. */
export const runRollout = defineAction({
  name: "run-rollout",
  summary:
    "Lets a rollout grow step by step up to a share; a variant that is shown to be worse or dearer is taken back at once, and without data the share does not grow.",
  parameters: z.strictObject({
    rollout: rolloutParameter,
    until: z.number().gt(0).max(1).default(1).meta({ description: "Largest step to enter, 0 to 1." }),
  }),
  result: {
    rollout: "id of the rollout",
    state: "running, holding, rolled_back, promoted or aborted",
    share: "share of new tickets that gets the new variant now",
    proven: "whether all of its steps have shown what the plan demands",
    difference: "quality of the new variant less that of the old one; null while it is unknown",
    half_width: "half width of the interval of the difference, which is valid at every look; null while it is unknown",
    cost_ratio: "cost of a success, new to old; null while it is unknown",
    tickets: "tickets of both arms that have ended",
    canary_tickets: "tickets that were admitted with the new variant",
    reason: "why it ended or stopped, for people",
  },
  effect: "set",
  risk: "raises",
  timeoutMs: 60_000,
  probes: false,
  undoes: true,
  behave({ rollout: id, until }, ports: RolloutPorts) {
    return {
      async plan() {
        const rollout = await readRollout(ports.rolloutStore, id);
        if (!isLive(rollout)) throw refusedRollout(`Rollout ${id} is ${rollout.state}; it does not grow any more.`);
        const target = rolloutTarget(rollout.subject);
        const { to } = describeVariants(rollout.subject);
        const present = shareAt(rollout.plan, rollout.step);
        const shares = rollout.plan.steps.filter((share) => share <= until && share > present);
        return {
          summary:
            shares.length === 0
              ? `Judge ${to} at ${target} at its present share`
              : `Give ${to} ${shares.map((share) => formatShare(share)).join(", then ")} of the new tickets of ${target}`,
          targets: [target],
          changes: [{ target, field: "share", before: formatShare(present), after: `up to ${formatShare(until)}` }],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, context): Promise<ActionResult> {
        const before = context.progress === undefined ? undefined : growthProgressSchema.parse(context.progress);
        const progress = await carryOn(ports, id, { context, progress: before });
        const polled = await pollResult(ports, id, { context, progress, until });
        return polled.kind === "done" ? { kind: "done", output: outputOf(polled) } : polled;
      },
      async undo(_plan, _output, { runId, clock }) {
        await rollBack(ports, await readRollout(ports.rolloutStore, id), undoneBy(runId, clock.now()));
      },
    };

    function outputOf({ rollout, verdict, proven, reason }: PolledGrowth) {
      const { state } = rollout;
      const live = isLive(rollout) ? shareAt(rollout.plan, rollout.step) : 0;
      return {
        rollout: id,
        state,
        share: state === "promoted" ? 1 : live,
        proven,
        difference: verdict.quality?.difference ?? null,
        half_width: verdict.quality?.halfWidth ?? null,
        cost_ratio: costRatioOf(verdict),
        tickets: verdict.tickets,
        canary_tickets: verdict.canary.exposed,
        reason,
      };
    }
  },
});
