import type { ModelDescription } from "../../../packages/sdk/src/wire/models.ts";
import type { Instant } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import { formatModelRef, isSameRef } from "./model-ref.ts";
import type { RouteUse } from "./route-history.ts";

/** Why a model cannot take a route's tickets: a closed set. With one of the first four nothing may be spent on it. */
export const unfitReasons = [
  "same_model", // The route goes there already.
  "unknown_model", // Neither a list nor the table knows its lifecycle.
  "retired",
  "unpriced", // Its cost could neither be limited nor compared.
  "deprecated", // It would have to be left again.
  "outdated", // What is known of its lifecycle is too old to rest on.
  "no_requests", // No request of the route is known, so what it needs is not either.
  "context_unknown",
  "context_too_small",
  "feature_missing",
  "feature_unknown",
] as const;

/** See {@link unfitReasons}. */
export type UnfitReason = (typeof unfitReasons)[number];

/** One reason with its sentence for people. */
export interface Unfitness {
  readonly reason: UnfitReason;
  readonly sentence: string;
}

/** A provider's list says what is so, and is read every day; the table was right on its day. A provider announces a retirement months before. */
const maxAgeMs = { provider: 7 * dayMs, table: 180 * dayMs, none: Number.POSITIVE_INFINITY } as const;

/** Everything that speaks against `candidate` in place of `baseline` for requests like these; empty: it is fit. What cannot be seen speaks against it. */
export function judgeCandidate(
  candidate: ModelDescription,
  { baseline, use }: { readonly baseline: Pick<ModelDescription, "provider" | "model">; readonly use: RouteUse },
  now: Instant,
): readonly Unfitness[] {
  const name = formatModelRef(candidate);
  const { lifecycle, contextTokens, features, asOf = now, source } = candidate;
  const unfit: Unfitness[] = [];
  const add = (reason: UnfitReason, sentence: string) => void unfit.push({ reason, sentence });
  if (isSameRef(candidate, baseline)) add("same_model", `The route goes to ${name} already.`);
  if (lifecycle === "unknown") add("unknown_model", `Neither its provider's list nor the table of models knows ${name}.`);
  if (lifecycle === "retired") add("retired", `${name} is retired${dateOf(candidate.retiresAt)}.`);
  if (candidate.price === undefined) add("unpriced", `${name} has no price in the price table.`);
  if (lifecycle === "deprecated") add("deprecated", `${name} is deprecated${dateOf(candidate.retiresAt, "and to be retired")}.`);
  const days = Math.floor((now - asOf) / dayMs);
  if (lifecycle !== "unknown" && now - asOf > maxAgeMs[source]) add("outdated", `What is known of ${name} is ${days} days old.`);
  if (use.requests === 0) add("no_requests", "No request of the route is known, so that what it needs is unknown.");
  if (contextTokens === undefined) add("context_unknown", `How long a context ${name} takes is not known.`);
  else if (contextTokens < use.largestTokens)
    add("context_too_small", `${name} takes ${contextTokens} tokens; the largest request of the route has ${use.largestTokens}.`);
  for (const feature of use.features) {
    if (features[feature] === false) add("feature_missing", `The route uses ${feature}, which ${name} does not have.`);
    if (features[feature] === undefined) add("feature_unknown", `The route uses ${feature}; whether ${name} has it is not known.`);
  }
  return unfit;
}

/** The reasons for which nothing may be spent on a model, whatever else speaks for it. */
export function refusalsOf(unfit: readonly Unfitness[]): readonly Unfitness[] {
  const hard: readonly UnfitReason[] = ["same_model", "unknown_model", "retired", "unpriced"];
  return unfit.filter(({ reason }) => hard.includes(reason));
}

function dateOf(at: Instant | undefined, before = ""): string {
  if (at === undefined) return "";
  return `${before === "" ? " since" : ` ${before} on`} ${new Date(at).toISOString().slice(0, 10)}`;
}
