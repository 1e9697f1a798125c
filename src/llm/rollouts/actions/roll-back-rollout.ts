import { z } from "zod";
import { modelRefSchema, routeIdSchema } from "../../../../packages/sdk/src/wire/routing.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import { minuteMs } from "../../../core/duration.ts";
import type { CandidatePorts } from "../../models/candidate-ports.ts";
import type { UnseenTickets } from "../../models/route-history.ts";
import { rollBack } from "../end-rollout.ts";
import { rolloutTarget } from "../rollout.ts";
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
import type { Trial } from "../share-control.ts";

const dataSchema = z.object({
  /** The live rollout, which is ended. */
  rollout: z.string().nullable(),
  /** The rollout that counts the tickets: the live one, or the one that has ended last. */
  counting: z.string().nullable().default(null),
  /** A variant that a person has set without a rollout, for people; `model` when it is one. */
  unmanaged: z
    .object({ variant: z.string(), model: z.object({ route: routeIdSchema, to: modelRefSchema }).nullable() })
    .nullable()
    .default(null),
});
const progressSchema = z.object({ since: z.number(), headline: z.string(), note: z.string(), asked: z.boolean().default(false) });

/** Usage is reported when a request ends, so that without a rollout new tickets are seen later. */
const usageWindowMs = 2 * minuteMs;
const answers = ["none_begin", "some_begin"] as const;
const notReported = { kind: "unseen", why: "not_reported" } as const;

const whyUnseen: { readonly [Why in UnseenTickets]: string } = {
  not_reported: "no usage of it was reported in the hour before",
  not_kept: "not all usage events of the last hour are kept any more",
  too_many_events: "the last hour has more usage events than one step reads",
};

/** The step's result, and why it does not say how many tickets there are. */
interface Counted {
  readonly output: { readonly [name: string]: string | number | null };
  readonly unseen?: UnseenTickets;
}

type Ports = Pick<RolloutPorts, "rolloutStore" | "shareControls"> & Pick<CandidatePorts, "routes" | "history">;

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
    new_canary_tickets: "tickets that began with the new variant within the window; null when that cannot be seen",
    counted_by: "rollout, usage (of the last two minutes, for a model that a person had set), or person; none when nothing was on trial",
  },
  effect: "set",
  risk: "lowers",
  timeoutMs: 30_000,
  probes: true,
  undoes: false,
  behave(parameters, ports: Ports) {
    const { rolloutStore, shareControls, routes, history } = ports;
    const rolloutWindowMs = millisecondsOf(parameters.window);

    async function countedAt({ counting: id, unmanaged }: z.output<typeof dataSchema>, now: number): Promise<Counted> {
      const none = { rollout: "", state: "none", new_canary_tickets: null };
      if (unmanaged !== null) {
        const { model } = unmanaged;
        const route = model === null ? undefined : await routes.read(model.route);
        const isSeen = model !== null && route !== undefined;
        const count = isSeen ? await history.newTickets(route, model.to, now - usageWindowMs) : notReported;
        if (count.kind === "unseen") return { output: { ...none, counted_by: "usage" }, unseen: count.why };
        return { output: { ...none, new_canary_tickets: count.tickets, counted_by: "usage" } };
      }
      if (id === null) return { output: { ...none, counted_by: "none" } };
      const rollout = await readRollout(rolloutStore, id);
      const count = await rolloutStore.exposedSince(id, "canary", now - rolloutWindowMs);
      return { output: { rollout: id, state: rollout.state, new_canary_tickets: count, counted_by: "rollout" } };
    }

    return {
      async plan() {
        const name = subjectNameOf(parameters);
        const target = targetOfName(name);
        const rollout = await rolloutStore.liveOf(target);
        const trial = await controlOf(shareControls, name.kind).trialOf(name);
        const subject = rollout?.subject ?? trial?.subject;
        const variants = subject === undefined ? undefined : describeVariants(subject);
        const ended = rollout ?? (await rolloutStore.list()).find((one) => rolloutTarget(one.subject) === target);
        return {
          summary:
            variants === undefined
              ? `Nothing is on trial at ${target}`
              : `Give new tickets of ${target} to ${variants.from} again, not to ${variants.to}`,
          targets: [target],
          changes: variants === undefined ? [] : [{ target, field: "candidate", before: variants.to, after: "none" }],
          reversible: false,
          data: {
            rollout: rollout?.id ?? null,
            counting: ended?.id ?? null,
            unmanaged: rollout === undefined && trial !== undefined ? describeUnmanaged(trial) : null,
          },
        };
      },
      async run(plan, context) {
        const data = dataSchema.parse(plan.data);
        const now = context.clock.now();
        const windowMs = data.unmanaged === null ? rolloutWindowMs : usageWindowMs;
        if (context.progress === undefined) {
          await takeBack(data.rollout, `run:${context.runId}`, now);
          const text = "new tickets get the old variant";
          return { kind: "continue", afterMs: windowMs, progress: { since: now, headline: text, note: text } };
        }
        const progress = progressSchema.parse(context.progress);
        if (now - progress.since < windowMs)
          return { kind: "continue", afterMs: windowMs - (now - progress.since), progress: context.progress };
        const { output, unseen } = await countedAt(data, now);
        if (unseen === undefined) return { kind: "done", output };
        if (progress.asked && context.answer === "none_begin")
          return { kind: "done", output: { ...output, new_canary_tickets: 0, counted_by: "person" } };
        return { kind: "ask", question: questionOf(data, unseen), answers: [...answers], progress: { ...progress, asked: true } };
      },
      async probe(plan, { clock }) {
        const name = subjectNameOf(parameters);
        const trial = await controlOf(shareControls, name.kind).trialOf(name);
        return trial !== undefined && trial.share > 0
          ? { kind: "not_applied" }
          : { kind: "applied", output: (await countedAt(dataSchema.parse(plan.data), clock.now())).output };
      },
    };

    function questionOf({ unmanaged }: z.output<typeof dataSchema>, unseen: UnseenTickets): string {
      const to = unmanaged?.variant ?? "the new variant";
      const target = targetOfName(subjectNameOf(parameters));
      return `New tickets of ${target} get the old variant again. Whether the applications have read that cannot be seen: a person had set ${to} without a rollout, which would count its tickets, and ${whyUnseen[unseen]}. Look into the applications. Answer "none_begin" when no new ticket begins with ${to}, or "some_begin" to be asked again.`;
    }

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

function describeUnmanaged({ subject }: Trial) {
  const model = subject.kind === "model" ? { route: subject.route, to: { ...subject.to } } : null;
  return { variant: describeVariants(subject).to, model };
}
