import { z } from "zod";
import type { ModelDescription } from "../../../../packages/sdk/src/wire/models.ts";
import { type ModelRoute, routeIdSchema } from "../../../../packages/sdk/src/wire/routing.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionResult } from "../../../core/action.ts";
import type { Instant } from "../../../core/clock.ts";
import type { CandidatePorts } from "../candidate-ports.ts";
import { judgeCandidate } from "../judge-candidate.ts";
import type { ModelCatalog } from "../model-catalog.ts";
import { formatModelRef, isSameRef, modelRefGrammar, parseModelRef } from "../model-ref.ts";
import { type RouteUse, readRoute } from "../route-history.ts";

/** Answers of a person who picks none of the models that are named. */
const noneOfThem = "none";
const maxNamed = 8;
/** Longer names do not fit into an answer. */
const maxAnswerLength = 40;

/** Can a model take over the tickets of a route? */
export const checkCandidate = defineAction({
  name: "check-candidate",
  summary:
    "Says whether a model can take over the tickets of a route: that it exists, is neither deprecated nor retired, has a price, and can do what the route's requests use.",
  parameters: z.strictObject({
    route: routeIdSchema.meta({ description: "Id of one route." }),
    to: z
      .string()
      .max(181)
      .refine((text) => text === "" || parseModelRef(text) !== undefined, { message: `must be ${modelRefGrammar}, or empty` })
      .default("")
      .meta({ description: "The model in question, as provider/model; empty: a person picks one of those that fit." }),
  }),
  result: {
    route: "id of the route",
    from: "the model that the route gives to tickets",
    to: "the model in question; absent when a person has picked none",
    fit: "whether nothing speaks against it",
    reasons: "names of what speaks against it, such as retired, unpriced, context_too_small, feature_missing",
    lifecycle: "active, deprecated, retired or unknown",
    retires_at: "day of its retirement; absent when none is known",
    said_by: "provider, table or none: who says what its lifecycle is",
    said_on: "day on which they said so; absent without one",
    context_tokens: "tokens that it takes; absent when that is not known",
    largest_request: "tokens of the largest request of the route that is known",
    features: "what the route's requests use",
    requests: "requests of the route that were looked at",
    requests_since: "time from which on requests were looked at; absent when all of the last thirty days were",
    sentence: "the verdict for people",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 30_000,
  probes: false,
  undoes: false,
  behave({ route: id, to }, { routes, models, history }: CandidatePorts) {
    return {
      async plan() {
        const what = to === "" ? "which models can" : `whether ${to} can`;
        return { summary: `Look ${what} take over route ${id}`, targets: [`route/${id}`], changes: [], reversible: true, data: null };
      },
      async run(_plan, { clock, answer }): Promise<ActionResult> {
        const route = await readRoute(routes, id);
        const use = await history.use(route);
        const now = clock.now();
        if (to === "" && answer === undefined) return askWhich({ route, use, now }, await fitting(models, { route, use, now }));
        const ref = parseModelRef(to === "" ? (answer ?? "") : to);
        if (ref === undefined) {
          const from = formatModelRef(route.baseline);
          return { kind: "done", output: { route: id, from, fit: false, reasons: ["none_picked"], sentence: "No model was picked." } };
        }
        const [candidate] = await models.describe([ref]);
        if (candidate === undefined) throw new Error("The catalog answered nothing for a model.");
        return { kind: "done", output: verdictOf(candidate, { route, use, now }) };
      },
    };
  },
});

/** A route as it is judged: what it goes to, and what its requests use. */
interface JudgedRoute {
  readonly route: ModelRoute;
  readonly use: RouteUse;
  readonly now: Instant;
}

function verdictOf(candidate: ModelDescription, { route, use, now }: JudgedRoute) {
  const unfit = judgeCandidate(candidate, { baseline: route.baseline, use }, now);
  const { lifecycle, retiresAt, asOf, contextTokens, source } = candidate;
  const [from, to] = [formatModelRef(route.baseline), formatModelRef(candidate)];
  return {
    route: route.id,
    from,
    to,
    fit: unfit.length === 0,
    reasons: [...new Set(unfit.map(({ reason }) => reason))],
    lifecycle,
    ...(retiresAt !== undefined && { retires_at: dayOf(retiresAt) }),
    said_by: source,
    ...(asOf !== undefined && { said_on: dayOf(asOf) }),
    ...(contextTokens !== undefined && { context_tokens: contextTokens }),
    largest_request: use.largestTokens,
    features: [...use.features],
    requests: use.requests,
    ...(use.since !== undefined && { requests_since: timeOf(use.since) }),
    sentence:
      unfit.length === 0
        ? `${to} can do what ${use.requests} requests of route ${route.id} to ${from} used${reachOf(use)}.`
        : unfit.map(({ sentence }) => sentence).join(" "),
  };
}

/** Models that fit, those that the provider recommends and of the same provider first. */
async function fitting(models: ModelCatalog, { route, use, now }: JudgedRoute): Promise<readonly string[]> {
  const [baseline] = await models.describe([route.baseline]);
  const fit = (await models.all()).filter((model) => judgeCandidate(model, { baseline: route.baseline, use }, now).length === 0);
  const rank = (model: ModelDescription) => {
    if (baseline?.replacement !== undefined && isSameRef(model, baseline.replacement)) return 0;
    return model.provider === route.baseline.provider ? 1 : 2;
  };
  return fit
    .toSorted((a, b) => rank(a) - rank(b) || (b.model < a.model ? -1 : 1))
    .map(formatModelRef)
    .filter((name) => name.length <= maxAnswerLength)
    .slice(0, maxNamed);
}

function askWhich({ route: { id, baseline }, use }: JudgedRoute, names: readonly string[]): ActionResult {
  const which =
    names.length === 0
      ? `No model that is known can do what its requests use${reachOf(use)}.`
      : `These can do what its requests use${reachOf(use)}: ${names.join(", ")}.`;
  return {
    kind: "ask",
    question: `Which model should take over route ${id} from ${formatModelRef(baseline)}? ${which} Answer "${noneOfThem}" to stop here and start the run again with another one.`,
    answers: [...names, noneOfThem],
    progress: null,
  };
}

/** Says when only a part of the last thirty days was looked at. */
function reachOf({ since }: RouteUse): string {
  return since === undefined ? "" : ` since ${timeOf(since)}; earlier requests were not looked at`;
}

function timeOf(at: Instant): string {
  return new Date(at).toISOString();
}

function dayOf(at: Instant): string {
  return new Date(at).toISOString().slice(0, 10);
}
