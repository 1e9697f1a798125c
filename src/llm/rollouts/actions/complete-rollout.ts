import { z } from "zod";
import { defineAction } from "../../../actions/define-action.ts";
import { complete, rollBack, undoneBy } from "../end-rollout.ts";
import { isProven } from "../find-urgent-move.ts";
import { rolloutTarget } from "../rollout.ts";
import { rolloutParameter } from "../rollout-parameter.ts";
import { type RolloutPorts, readRollout } from "../rollout-ports.ts";
import { describeVariants, refusedRollout } from "../rollout-subject.ts";

/** Ends a rollout that has shown what its plan demands; every new ticket gets the new variant from then on. */
export const completeRollout = defineAction({
  name: "complete-rollout",
  summary: "Gives every new ticket the new variant and ends the rollout with its holdback; the old variant becomes the fallback.",
  parameters: z.strictObject({ rollout: rolloutParameter }),
  result: { rollout: "id of the rollout", state: "promoted", to: "the variant that every new ticket gets" },
  effect: "set",
  risk: "raises",
  timeoutMs: 30_000,
  probes: true,
  undoes: true,
  behave({ rollout: id }, { rolloutStore, shareControls }: Pick<RolloutPorts, "rolloutStore" | "shareControls">) {
    return {
      async plan() {
        const rollout = await readRollout(rolloutStore, id);
        // Completing a rollout again that was promoted already has no effect.
        if (rollout.state !== "running" && rollout.state !== "promoted")
          throw refusedRollout(`Rollout ${id} is ${rollout.state}; only a running rollout can be completed.`);
        if (!isProven(rollout)) throw refusedRollout(`Rollout ${id} has not shown yet what its plan demands; it cannot be completed.`);
        const target = rolloutTarget(rollout.subject);
        const { from, to } = describeVariants(rollout.subject);
        return {
          summary: `Give all new tickets of ${target} to ${to}; ${from} stays as fallback`,
          targets: [target],
          changes: [{ target, field: "baseline", before: from, after: to }],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, { runId, clock }) {
        const rollout = await readRollout(rolloutStore, id);
        const cause = { by: `run:${runId}`, now: clock.now(), reason: "completed", detail: "the rollout was completed" };
        const ended = await complete({ rolloutStore, shareControls }, rollout, cause);
        return { kind: "done", output: outputOf(ended) };
      },
      async probe() {
        const rollout = await readRollout(rolloutStore, id);
        return rollout.state === "promoted" ? { kind: "applied", output: outputOf(rollout) } : { kind: "not_applied" };
      },
      async undo(_plan, _output, { runId, clock }) {
        await rollBack({ rolloutStore, shareControls }, await readRollout(rolloutStore, id), undoneBy(runId, clock.now()));
      },
    };

    function outputOf(rollout: Awaited<ReturnType<typeof readRollout>>) {
      return { rollout: id, state: rollout.state, to: describeVariants(rollout.subject).to };
    }
  },
});
