import { z } from "zod";
import { modelFeatures, modelLifecycles } from "../../packages/sdk/src/wire/models.ts";
import type { ModelRef } from "../../packages/sdk/src/wire/routing.ts";
import { modelRefGrammar, parseModelRef } from "../llm/models/model-ref.ts";
import type { SimulatedModel, SimulatedRoute, SimulatedTrial } from "./rehearsal.ts";
import { amount, count, course, duration, ratio } from "./rehearsal-values.ts";

/** The name of a model, as provider/model. */
export const modelName = z.string().refine((text) => parseModelRef(text) !== undefined, { message: `must be ${modelRefGrammar}` });
const features = z.array(z.enum(modelFeatures)).default(["tools", "caching"]);

/** A model as it is written; see docs/rehearsals.md. */
export const modelSchema = z.strictObject({
  lifecycle: z.enum(modelLifecycles).default("active"),
  retires_in: duration.optional(),
  context: count.default(200_000),
  features,
  priced: z.boolean().default(true),
  replacement: modelName.optional(),
});

/** A route as it is written; see docs/rehearsals.md. */
export const routeSchema = z.strictObject({
  model: modelName,
  features,
  requests: count.default(1000),
  largest: count.default(50_000),
  tickets: count.default(200),
  cost_usd: amount.default(0.1),
  worse_answers: count.default(0),
  bad_answers: count.default(0),
  cost_ratio: amount.default(0.5),
  tickets_per_minute: course(amount).default(20),
  quality: course(ratio).default(0.9),
  candidate_quality: course(ratio).default(0.9),
  candidate_lost: ratio.default(0),
  candidate_hangs: ratio.default(0),
  trial: z
    .strictObject({
      model: modelName,
      share: z.number().gt(0).lt(1),
      rollout: z.enum(["running", "holding", "none"]).default("running"),
      reported: z.boolean().default(true),
      new_tickets: count.default(0),
    })
    .optional(),
  followers: count.default(3),
  stale_followers: count.default(0),
});

/** The model that the simulated providers have; empty when its name cannot be read. */
export function modelOf(
  name: string,
  { retires_in: retiresInMs, context, features: has, replacement, ...written }: z.output<typeof modelSchema>,
): SimulatedModel[] {
  const ref = parseModelRef(name);
  const next = replacement === undefined ? undefined : parseModelRef(replacement);
  if (ref === undefined) return [];
  const more = { ...(retiresInMs !== undefined && { retiresInMs }), ...(next !== undefined && { replacement: next }) };
  return [{ ...ref, ...written, ...more, contextTokens: context, features: has }];
}

/** The route that the simulation begins with; empty when the name of its model cannot be read. */
export function routeOf(
  id: string,
  { model: name, features: uses, requests, largest, tickets, ...written }: z.output<typeof routeSchema>,
): SimulatedRoute[] {
  const baseline = parseModelRef(name);
  if (baseline === undefined) return [];
  const { cost_usd: costUsd, worse_answers: worseAnswers, bad_answers: badAnswers, cost_ratio: costRatio } = written;
  const live = {
    ticketsPerMinute: written.tickets_per_minute,
    quality: written.quality,
    candidateQuality: written.candidate_quality,
    candidateLost: written.candidate_lost,
    candidateHangs: written.candidate_hangs,
    followers: written.followers,
    staleFollowers: written.stale_followers,
  };
  const onTrial = written.trial === undefined ? undefined : parseModelRef(written.trial.model);
  const trial = written.trial !== undefined && onTrial !== undefined && { trial: trialOf(written.trial, onTrial) };
  const past = { requests, largestTokens: largest, tickets, costUsd, worseAnswers, badAnswers, costRatio };
  return [{ id, baseline, features: uses, ...past, ...live, ...trial }];
}

function trialOf(
  { new_tickets: newTickets, ...written }: NonNullable<z.output<typeof routeSchema>["trial"]>,
  model: ModelRef,
): SimulatedTrial {
  return { ...written, model, newTickets };
}
