import { z } from "zod";
import { defineAction } from "../../../actions/define-action.ts";
import { rollBack, undoneBy } from "../end-rollout.ts";
import { rolloutTarget } from "../rollout.ts";
import { rolloutParameter } from "../rollout-parameter.ts";
import { type RolloutPorts, readRollout, shareRequestOf } from "../rollout-ports.ts";
import { controlOf, describeVariants, refusedRollout } from "../rollout-subject.ts";

/** Enters the new variant with a share of zero, so that a run can check that every process has read it before a ticket gets it. */
export const openRollout = defineAction({
  name: "open-rollout",
  summary: "Enters the new variant of a planned rollout with a share of zero, and counts the processes that have read it.",
  parameters: z.strictObject({ rollout: rolloutParameter }),
  result: {
    rollout: "id of the rollout",
    share: "share of the tickets, which is 0",
    followers: "processes that read the route, prompt or flag within the last minute",
    followers_current: "of them, those that have the newest version",
  },
  effect: "set",
  risk: "raises",
  timeoutMs: 30_000,
  probes: true,
  undoes: true,
  behave({ rollout: id }, { rolloutStore, shareControls }: Pick<RolloutPorts, "rolloutStore" | "shareControls">) {
    async function output(by: string) {
      const rollout = await readRollout(rolloutStore, id);
      const control = controlOf(shareControls, rollout.subject.kind);
      const request = shareRequestOf(rollout, by);
      const share = await control.read(request);
      const { followers, current } = await control.followers(request);
      return { share, output: { rollout: id, share: share ?? 0, followers, followers_current: current } };
    }

    return {
      async plan() {
        const rollout = await readRollout(rolloutStore, id);
        if (rollout.state !== "planned") throw refusedRollout(`Rollout ${id} is ${rollout.state}, not planned; it cannot be opened again.`);
        const target = rolloutTarget(rollout.subject);
        const { from, to } = describeVariants(rollout.subject);
        return {
          summary: `Enter ${to} in ${target} with a share of 0 %`,
          targets: [target],
          changes: [{ target, field: "candidate", before: `none, all tickets get ${from}`, after: `${to} for 0 %` }],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, { runId }) {
        const by = `run:${runId}`;
        const rollout = await readRollout(rolloutStore, id);
        await controlOf(shareControls, rollout.subject.kind).set(shareRequestOf(rollout, by), 0);
        return { kind: "done", output: (await output(by)).output };
      },
      async probe(_plan, { runId }) {
        const present = await output(`run:${runId}`);
        return present.share === undefined ? { kind: "not_applied" } : { kind: "applied", output: present.output };
      },
      async undo(_plan, _output, { runId, clock }) {
        const rollout = await readRollout(rolloutStore, id);
        await rollBack({ rolloutStore, shareControls }, rollout, undoneBy(runId, clock.now()));
      },
    };
  },
});
