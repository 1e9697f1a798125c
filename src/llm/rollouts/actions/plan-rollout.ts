import { z } from "zod";
import { rolloutPlanSchema } from "../../../../packages/sdk/src/wire/rollouts.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf, promqlParameter } from "../../../actions/parameter-types.ts";
import { sha256 } from "../../../core/json.ts";
import { describeUnseen, type PrometheusReader } from "../../../core/prometheus.ts";
import { formatShare } from "../../../core/share.ts";
import { rollBack, undoneBy } from "../end-rollout.ts";
import { projectRollout, proposeSteps } from "../project-rollout.ts";
import { isGrowing, isLive } from "../rollout.ts";
import type { RolloutPorts } from "../rollout-ports.ts";
import {
  controlOf,
  describeVariants,
  namesOneSubject,
  oneSubject,
  refusedRollout,
  subjectNameOf,
  subjectParameters,
  subjectTargetOf,
  targetOfName,
} from "../rollout-subject.ts";

const growing = (steps: readonly number[]) => steps.every((share, index) => index === 0 || share > (steps[index - 1] ?? 0));

const dataSchema = z.object({ plan: rolloutPlanSchema, days: z.number().nullable() });

/** Records how a rollout grows and what it must show, before a ticket gets the new variant. */
export const planRollout = defineAction({
  name: "plan-rollout",
  summary:
    "Plans a rollout of a model, prompt version or flag variant: its steps, its margins, and the days that it takes at the present traffic.",
  parameters: z
    .strictObject({
      ...subjectParameters,
      to: z
        .string()
        .min(1)
        .max(200)
        .meta({ description: "New variant: provider/model, a version of the prompt, or a variant of the flag." }),
      steps: z
        .array(z.number().gt(0).max(1))
        .min(1)
        .max(12)
        .refine(growing, { message: "must grow" })
        .exactOptional()
        .meta({ description: "Shares of new tickets; without them the steps follow from the traffic and `within`." }),
      every: durationParameter("Shortest time of one step.").default("1d"),
      within: durationParameter("Time in which the proposed steps should end.").default("14d"),
      traffic: promqlParameter("Tickets that end per day.")
        .exactOptional()
        .meta({ description: "Tickets of this subject that end per day." }),
      margin: z.number().gt(0).max(0.5).default(0.1).meta({ description: "Quality may be worse by less than this, of 1." }),
      cost_limit: z
        .number()
        .gt(0)
        .max(100)
        .default(1.1)
        .meta({ description: "Cost of a success may be at most this multiple of the old one." }),
      min_tickets: z
        .int()
        .min(1)
        .max(10_000)
        .default(30)
        .meta({ description: "Tickets of the new variant that must have ended in each step." }),
      holdback: z
        .number()
        .min(0)
        .max(0.5)
        .default(0.05)
        .meta({ description: "Share that keeps the old variant at the last step, as a control." }),
      deadline: durationParameter("A ticket that has not ended after this time counts as failed.").default("6h"),
      lag: durationParameter("How long after its end the quality of a ticket may be revised.").default("1d"),
      guards: z
        .array(promqlParameter("A query that returns nothing while all is well."))
        .max(10)
        .default([])
        .meta({ format: "promql", description: "Queries that must return nothing; a series takes the rollout back." }),
    })
    .refine(namesOneSubject, oneSubject),
  result: {
    rollout: "id of the rollout",
    from: "the old variant",
    to: "the new variant",
    steps: "shares of new tickets, in order",
    days: "days until it ends when the variants are equal; null when the traffic is unknown",
  },
  effect: "keyed",
  // A subject has one live rollout at a time, so a plan of an observing run would block all others.
  risk: "raises",
  timeoutMs: 30_000,
  probes: false,
  undoes: true,
  behave(parameters, { rolloutStore, shareControls, prometheus }: RolloutPorts) {
    return {
      async plan({ signal }) {
        const name = subjectNameOf(parameters);
        const target = targetOfName(name);
        const subject = await controlOf(shareControls, name.kind).resolve(subjectTargetOf(name, parameters.to));
        if (subject === undefined) throw refusedRollout(`There is no ${target}, or it has no variant ${parameters.to}.`);
        const { from, to } = describeVariants(subject);
        if (from === to) throw refusedRollout(`New tickets of ${target} get ${to} already.`);
        const live = await rolloutStore.liveOf(target);
        if (live !== undefined) throw refusedRollout(`Rollout ${live.id} of ${target} is ${live.state}; one rollout at a time.`);
        const perDay = parameters.traffic === undefined ? undefined : await ticketsPerDay(parameters.traffic, prometheus, signal);
        const fixed = {
          intervalMs: millisecondsOf(parameters.every),
          minPerStep: parameters.min_tickets,
          margin: parameters.margin,
          costLimit: parameters.cost_limit,
          holdback: parameters.holdback,
          deadlineMs: millisecondsOf(parameters.deadline),
          lagMs: millisecondsOf(parameters.lag),
          guards: [...parameters.guards],
        };
        const traffic = perDay === undefined ? undefined : { ticketsPerDay: perDay };
        const asked = rolloutPlanSchema.parse({ ...fixed, ...(parameters.steps !== undefined && { steps: [...parameters.steps] }) });
        const proposal =
          traffic === undefined || parameters.steps !== undefined
            ? undefined
            : proposeSteps(asked, traffic, millisecondsOf(parameters.within)).projection;
        const plan = { ...asked, steps: [...(proposal?.steps ?? asked.steps)] };
        if (!isGrowing(plan))
          throw refusedRollout(
            `The steps ${plan.steps.map((share) => formatShare(share)).join(", ")} do not grow beside a holdback of ${formatShare(plan.holdback)}; leave some out, or choose a smaller holdback.`,
          );
        const projection = proposal ?? (traffic === undefined ? undefined : projectRollout(plan, traffic));
        const days = projection?.days ?? null;
        const takes =
          perDay === undefined
            ? "its traffic is unknown, so the days that it takes are too"
            : days === null
              ? `at ${Math.round(perDay)} tickets a day equal variants would rarely be shown to be equal`
              : `about ${Math.ceil(days)} days at ${Math.round(perDay)} tickets a day when the variants are equal`;
        return {
          summary: `Plan the rollout of ${to} at ${target}: ${plan.steps.map((share) => formatShare(share)).join(", ")} of new tickets; ${takes}`,
          targets: [target],
          changes: [],
          reversible: true,
          data: { plan, days },
        };
      },
      async run({ data }, { idempotencyKey, runId }) {
        const { plan, days } = dataSchema.parse(data);
        const name = subjectNameOf(parameters);
        const subject = await controlOf(shareControls, name.kind).resolve(subjectTargetOf(name, parameters.to));
        if (subject === undefined)
          throw refusedRollout(`There is no ${targetOfName(name)} any more, or it has no variant ${parameters.to}.`);
        const id = `ro-${sha256(idempotencyKey).slice(0, 16)}`;
        const result = await rolloutStore.create({ id, subject, plan, salt: id, by: `run:${runId}`, runId });
        if (result.kind === "busy" || result.kind === "taken")
          throw refusedRollout(`Rollout ${result.rollout.id} has ${targetOfName(name)} now; one rollout at a time.`);
        if (result.kind === "too_many") throw refusedRollout("Ten rollouts are live; end one of them first.");
        const { from, to } = describeVariants(result.rollout.subject);
        return { kind: "done", output: { rollout: result.rollout.id, from, to, steps: [...plan.steps], days } };
      },
      async undo(_plan, output, { runId, clock }) {
        const done = z.object({ rollout: z.string() }).safeParse(output);
        // A step that did not finish has no output; its rollout is live then.
        const rollout = done.success
          ? await rolloutStore.read(done.data.rollout)
          : await rolloutStore.liveOf(targetOfName(subjectNameOf(parameters)));
        if (rollout !== undefined && rollout.runId === runId && isLive(rollout))
          await rollBack({ rolloutStore, shareControls }, rollout, undoneBy(runId, clock.now()));
      },
    };

    async function ticketsPerDay(query: string, reader: PrometheusReader, signal: AbortSignal): Promise<number | undefined> {
      const answer = await reader.query(query, { signal });
      if (answer.kind !== "samples") throw refusedRollout(`The traffic cannot be read: ${describeUnseen(answer)}.`);
      const sum = answer.samples.reduce((total, { value }) => total + value, 0);
      return Number.isFinite(sum) && sum > 0 ? sum : undefined;
    }
  },
});
