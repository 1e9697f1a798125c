import { z } from "zod";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import type { ActionContext } from "../../../core/action.ts";
import { rollBack } from "../end-rollout.ts";
import { type RolloutPorts, readRollout } from "../rollout-ports.ts";
import {
  controlOf,
  describeVariants,
  namesOneSubject,
  oneSubject,
  subjectNameOf,
  subjectParameters,
  targetOfName,
} from "../rollout-subject.ts";

const dataSchema = z.object({ rollout: z.string().nullable() });
const progressSchema = z.object({ since: z.number(), headline: z.string(), note: z.string() });

/** Takes the candidate of a route, prompt or flag back, one that a person set too, and counts the tickets that still begin with it. */
export const rollBackRollout = defineAction({
  name: "roll-back-rollout",
  summary: "Gives new tickets the old variant again, ends the rollout, and counts the tickets that still begin with the new one.",
  parameters: z
    .strictObject({
      ...subjectParameters,
      window: durationParameter(
        "New tickets are counted over this time, which must be longer than applications need to read a change.",
      ).default("15s"),
    })
    .refine(namesOneSubject, oneSubject),
  result: {
    rollout: "id of the rollout, or empty without one, such as when a person had set the share",
    state: "state of the rollout, or none without a rollout",
    new_canary_tickets: "tickets that began with the new variant within the window; null when no rollout counts them",
  },
  effect: "set",
  risk: "lowers",
  timeoutMs: 30_000,
  probes: true,
  undoes: false,
  behave(parameters, { rolloutStore, shareControls }: Pick<RolloutPorts, "rolloutStore" | "shareControls">) {
    const windowMs = millisecondsOf(parameters.window);

    async function outputOf(id: string | null, { clock }: ActionContext) {
      if (id === null) return { rollout: "", state: "none", new_canary_tickets: null };
      const rollout = await readRollout(rolloutStore, id);
      const count = await rolloutStore.exposedSince(id, "canary", clock.now() - windowMs);
      return { rollout: id, state: rollout.state, new_canary_tickets: count };
    }

    return {
      async plan() {
        const name = subjectNameOf(parameters);
        const target = targetOfName(name);
        const rollout = await rolloutStore.liveOf(target);
        const trial = await controlOf(shareControls, name.kind).trialOf(name);
        const subject = rollout?.subject ?? trial?.subject;
        const variants = subject === undefined ? undefined : describeVariants(subject);
        return {
          summary:
            variants === undefined
              ? `Nothing is on trial at ${target}`
              : `Give new tickets of ${target} to ${variants.from} again, not to ${variants.to}`,
          targets: [target],
          changes: variants === undefined ? [] : [{ target, field: "candidate", before: variants.to, after: "none" }],
          reversible: false,
          data: { rollout: rollout?.id ?? null },
        };
      },
      async run(plan, context) {
        const { rollout: id } = dataSchema.parse(plan.data);
        const now = context.clock.now();
        const by = `run:${context.runId}`;
        if (context.progress === undefined) {
          await takeBack(id, by, now);
          const text = "new tickets get the old variant";
          return { kind: "continue", afterMs: windowMs, progress: { since: now, headline: text, note: text } };
        }
        const { since } = progressSchema.parse(context.progress);
        if (now - since < windowMs) return { kind: "continue", afterMs: windowMs - (now - since), progress: context.progress };
        return { kind: "done", output: await outputOf(id, context) };
      },
      async probe(plan, context) {
        const { rollout: id } = dataSchema.parse(plan.data);
        const name = subjectNameOf(parameters);
        const trial = await controlOf(shareControls, name.kind).trialOf(name);
        return trial !== undefined && trial.share > 0 ? { kind: "not_applied" } : { kind: "applied", output: await outputOf(id, context) };
      },
    };

    async function takeBack(id: string | null, by: string, now: number): Promise<void> {
      const cause = { by, now, reason: "taken_back", detail: "the run took it back" };
      if (id !== null) await rollBack({ rolloutStore, shareControls }, await readRollout(rolloutStore, id), cause);
      const name = subjectNameOf(parameters);
      const control = controlOf(shareControls, name.kind);
      const trial = await control.trialOf(name);
      // A share that remains was set by a person, or by a rollout whose record was lost.
      if (trial !== undefined) await control.rollBack({ subject: trial.subject, salt: trial.salt, rollout: trial.rollout, by });
    }
  },
});
