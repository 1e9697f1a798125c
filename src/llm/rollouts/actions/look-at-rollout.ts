import { z } from "zod";
import { defineAction } from "../../../actions/define-action.ts";
import { judgeRollout } from "../judge-rollout.ts";
import { shareAt } from "../rollout.ts";
import type { RolloutPorts } from "../rollout-ports.ts";
import {
  controlOf,
  describeVariants,
  namesOneSubject,
  oneSubject,
  subjectNameOf,
  subjectParameters,
  targetOfName,
} from "../rollout-subject.ts";

/** Reads what is on trial at a route, prompt or flag, and changes nothing. */
export const lookAtRollout = defineAction({
  name: "look-at-rollout",
  summary:
    "Reads the rollout of a route, prompt or flag: its state, its last decision, its split; also a share that a person set without a rollout.",
  parameters: z.strictObject(subjectParameters).refine(namesOneSubject, oneSubject),
  result: {
    state: "none, planned, running or holding; unmanaged when a person set a share without a rollout",
    rollout: "id of the rollout, or empty",
    to: "the new variant, or empty",
    share: "share of the tickets that gets it",
    decision: "the last decision, or empty",
    reason: "why it was taken, or empty",
    difference: "quality of the new variant less that of the old one; null while it is unknown",
    split_p_value:
      "p-value of the split of the tickets against the configured shares, valid at every look; below 0.001 the split is broken",
    misassigned: "tickets whose arm does not fit the hash of their id, or that name a share that was never set",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 20_000,
  probes: false,
  undoes: false,
  behave(parameters, { rolloutStore, shareControls }: Pick<RolloutPorts, "rolloutStore" | "shareControls">) {
    return {
      async plan() {
        const target = targetOfName(subjectNameOf(parameters));
        return { summary: `Read the rollout of ${target}`, targets: [target], changes: [], reversible: true, data: null };
      },
      async run() {
        const name = subjectNameOf(parameters);
        const rollout = await rolloutStore.liveOf(targetOfName(name));
        const trial = await controlOf(shareControls, name.kind).trialOf(name);
        const nothing = { decision: "", reason: "", difference: null, split_p_value: 1, misassigned: 0 };
        if (rollout === undefined) {
          const unmanaged = trial !== undefined;
          const to = trial === undefined ? "" : describeVariants(trial.subject).to;
          return {
            kind: "done",
            output: { state: unmanaged ? "unmanaged" : "none", rollout: "", to, share: trial?.share ?? 0, ...nothing },
          };
        }
        const verdict = judgeRollout(await rolloutStore.strata(rollout.id), rollout.plan);
        const last = rollout.decisions.at(-1);
        return {
          kind: "done",
          output: {
            state: rollout.state,
            rollout: rollout.id,
            to: describeVariants(rollout.subject).to,
            share: trial?.share ?? shareAt(rollout.plan, rollout.step),
            decision: last?.decision ?? "",
            reason: last?.detail ?? "",
            difference: verdict.quality?.difference ?? null,
            split_p_value: verdict.split.pValue,
            misassigned: await rolloutStore.misassigned(rollout.id),
          },
        };
      },
    };
  },
});
