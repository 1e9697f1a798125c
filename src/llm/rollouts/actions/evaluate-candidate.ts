import { z } from "zod";
import { type ModelRef, modelRefSchema, routeIdSchema } from "../../../../packages/sdk/src/wire/routing.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { sha256 } from "../../../core/json.ts";
import { formatUsd, oneUsd } from "../../../core/money.ts";
import type { CandidatePorts } from "../../models/candidate-ports.ts";
import { judgeCandidate, refusalsOf } from "../../models/judge-candidate.ts";
import { formatModelRef, modelRefGrammar, parseModelRef } from "../../models/model-ref.ts";
import { readRoute } from "../../models/route-history.ts";
import { faultOfPairs } from "../check-pairs.ts";
import { type Evaluation, type EvaluationAnswer, type EvaluationStore, evaluationAnswers } from "../evaluation.ts";
import type { EvaluatedPair, Evaluator } from "../evaluator.ts";
import { sampleTickets } from "../sample-tickets.ts";
import type { StagedEvaluators } from "../staged-evaluation.ts";

/** What an evaluation of a candidate on past tickets needs. */
export interface EvaluationPorts extends CandidatePorts {
  /** Absent while none is configured. */
  readonly evaluator: Evaluator | undefined;
  /** Absent while no repository of tickets is configured. */
  readonly stagedEvaluators: StagedEvaluators | undefined;
  readonly evaluations: EvaluationStore;
}

const planSchema = z.object({ from: modelRefSchema, to: modelRefSchema, tickets: z.array(z.string()), strata: z.number() });
const progressSchema = z.object({ id: z.string(), headline: z.string(), note: z.string() });

/** An evaluation of fewer tickets shows nothing. */
const minTickets = 10;
/** Tickets that a question to a person names; the plan of the step has all. */
const maxNamed = 3;

/** Has past tickets of a route worked on with its model and with a candidate. Nothing is published. */
export const evaluateCandidate = defineAction({
  name: "evaluate-candidate",
  summary:
    "Lets the evaluator work on past tickets of a route with its model and with a candidate, spread over kinds, repositories and costs, under a limit of cost; without an evaluator a person is asked.",
  parameters: z.strictObject({
    route: routeIdSchema.meta({ description: "Id of one route." }),
    to: z
      .string()
      .max(181)
      .refine((text) => parseModelRef(text) !== undefined, { message: `must be ${modelRefGrammar}` })
      .meta({ description: "The candidate, as provider/model." }),
    tickets: z.int().min(minTickets).max(500).default(100).meta({ description: "Tickets to work on with both." }),
    max_usd: z.number().gt(0).max(100_000).meta({ description: "The evaluation is stopped at this cost in USD, and shows nothing then." }),
    look_every: durationParameter("How often the evaluation is asked how far it is.").default("30s"),
  }),
  result: {
    evaluation: "id of the evaluation, for compare-candidate",
    route: "id of the route",
    from: "the model that the route gives to tickets",
    to: "the candidate",
    tickets: "tickets that were to be worked on",
    strata: "groups of kind, repository and cost that they come from",
    pairs: "tickets that were worked on with both",
    cost_usd: "its cost in USD",
    capped: "whether it was stopped because it had cost too much",
    by: "evaluator, or person when none is configured and a person has answered for it",
    sentence: "what happened, for people",
  },
  effect: "keyed",
  risk: "raises",
  targetsOf: ({ route }) => (typeof route === "string" ? [`route/${route}`] : []),
  timeoutMs: 60_000,
  probes: false,
  undoes: false,
  behave(parameters, ports: EvaluationPorts) {
    const { route: id, tickets: count, max_usd: maxUsd } = parameters;
    const { routes, models, history, evaluations } = ports;
    const to = parseModelRef(parameters.to);
    const afterMs = millisecondsOf(parameters.look_every);
    const maxMicroUsd = Math.round(maxUsd * oneUsd);
    return {
      async plan({ clock, runId, stepId }) {
        if (to === undefined) throw refusal(`${parameters.to} is no model; accepted: ${modelRefGrammar}.`);
        const route = await readRoute(routes, id);
        const [candidate] = await models.describe([to]);
        const use = { requests: 0, features: [], largestTokens: 0 };
        const unfit = candidate === undefined ? [] : judgeCandidate(candidate, { baseline: route.baseline, use }, clock.now());
        const refusals = refusalsOf(unfit);
        if (refusals.length > 0) throw refusal(refusals.map(({ sentence }) => sentence).join(" "));
        const { tickets: past, since } = await history.tickets(route);
        if (past.length < minTickets)
          throw refusal(`Of route ${id} ${past.length} past tickets are known; at least ${minTickets} are needed.`);
        const sample = sampleTickets(past, { count, seed: `${runId} ${stepId}` });
        const chosen = new Set(sample.ids);
        const pastCost = past.reduce((sum, ticket) => sum + (chosen.has(ticket.id) ? ticket.costMicroUsd : 0), 0);
        const names = `${formatModelRef(route.baseline)} and ${formatModelRef(to)}`;
        return {
          summary: `Work on ${sample.ids.length} past tickets of route ${id} with ${names}, for at most ${formatUsd(maxMicroUsd)}; they have cost ${formatUsd(pastCost)} before${since === undefined ? "" : `. Tickets before ${new Date(since).toISOString()} were not looked at`}`,
          targets: [`route/${id}`],
          changes: [],
          reversible: true,
          data: { from: { ...route.baseline }, to: { ...to }, tickets: [...sample.ids], strata: sample.strata },
        };
      },
      async run(plan, context): Promise<ActionResult> {
        const planned = planSchema.parse(plan.data);
        const evaluation = {
          id: `evaluation-${sha256(context.idempotencyKey).slice(0, 24)}`,
          subject: { kind: "model", route: id, from: planned.from, to: planned.to } as const,
          at: context.clock.now(),
          ticketIds: planned.tickets,
        };
        const done = async (outcome: Evaluation["outcome"], costMicroUsd: number): Promise<ActionResult> => {
          await evaluations.put({ ...evaluation, outcome });
          return { kind: "done", output: outputOf({ ...evaluation, outcome }, { strata: planned.strata, costMicroUsd }) };
        };
        const request = { subject: evaluation.subject, tickets: planned.tickets.length, ticketIds: planned.tickets, maxMicroUsd };
        const evaluator = ports.evaluator ?? (await ports.stagedEvaluators?.open(request));
        if (evaluator === undefined) {
          const answer = evaluationAnswers.find((one) => one === context.answer);
          return answer === undefined
            ? askInstead(evaluation.subject, planned.tickets, context.runId)
            : done({ kind: "person", answer }, 0);
        }
        const started = await startOnce(evaluator, request, context);
        const state = await evaluator.read(started.id, context.signal);
        if (state.kind === "failed") throw refusal(`The evaluation failed: ${state.reason}`);
        if (state.kind === "running") {
          const { costMicroUsd = 0, done: pairs, of } = state;
          if (costMicroUsd <= maxMicroUsd) {
            const spent = state.costMicroUsd === undefined ? "" : `, ${formatUsd(costMicroUsd)} of ${formatUsd(maxMicroUsd)}`;
            const headline = "the evaluator works on the tickets";
            return { kind: "continue", afterMs, progress: { id: started.id, headline, note: `${pairs} of ${of} tickets${spent}` } };
          }
          await evaluator.stop(started.id, context.signal);
          return done({ kind: "capped", pairs, costMicroUsd }, costMicroUsd);
        }
        const { pairs } = state;
        const fault = faultOfPairs(pairs, planned.tickets);
        if (fault !== undefined) throw refusal(`The evaluator's pairs cannot be used: ${fault}.`);
        const costMicroUsd = state.costMicroUsd ?? costOf(pairs);
        const isCapped = state.kind === "stopped" || costMicroUsd > maxMicroUsd;
        return done(isCapped ? { kind: "capped", pairs: pairs.length, costMicroUsd } : { kind: "pairs", pairs }, costMicroUsd);
      },
    };
  },
});

/** Starts the evaluation, or returns the one that was started. The same key names the same evaluation, so a repeat after a crash starts no second one. */
async function startOnce(
  evaluator: Evaluator,
  request: Parameters<Evaluator["start"]>[0],
  { progress, idempotencyKey, signal }: ActionContext,
): Promise<{ readonly id: string }> {
  return progress === undefined ? evaluator.start(request, idempotencyKey, signal) : progressSchema.parse(progress);
}

function askInstead(
  { route, from, to }: { readonly route: string; readonly from: ModelRef; readonly to: ModelRef },
  tickets: readonly string[],
  runId: string,
): ActionResult {
  const named = tickets.slice(0, maxNamed);
  return {
    kind: "ask",
    question: `No evaluator is configured (EVALUATOR_URL), so ${tickets.length} past tickets of route ${route} must be worked on by hand with ${formatModelRef(from)} and ${formatModelRef(to)}, without publishing anything. They are ${named.join(", ")} and so on; "runbookd runs show ${runId} --json" has all of them in the plan of this step. Answer "pass" when ${formatModelRef(to)} is not worse and cheap enough, "worse" or "dear".`,
    answers: [...evaluationAnswers],
    progress: null,
  };
}

function outputOf(
  {
    id,
    subject,
    ticketIds,
    outcome,
  }: Evaluation & { readonly subject: { readonly route: string; readonly from: ModelRef; readonly to: ModelRef } },
  { strata, costMicroUsd }: { readonly strata: number; readonly costMicroUsd: number },
) {
  return {
    evaluation: id,
    route: subject.route,
    from: formatModelRef(subject.from),
    to: formatModelRef(subject.to),
    tickets: ticketIds.length,
    strata,
    pairs: outcome.kind === "pairs" ? outcome.pairs.length : outcome.kind === "capped" ? outcome.pairs : 0,
    cost_usd: costMicroUsd / oneUsd,
    capped: outcome.kind === "capped",
    by: outcome.kind === "person" ? "person" : "evaluator",
    sentence: sentenceOf(outcome, costMicroUsd),
  };
}

function sentenceOf(outcome: Evaluation["outcome"], costMicroUsd: number): string {
  switch (outcome.kind) {
    case "person":
      return `A person has compared the models: ${outcome.answer satisfies EvaluationAnswer}.`;
    case "capped":
      return `The evaluation was stopped after ${outcome.pairs} tickets and ${formatUsd(costMicroUsd)}; it shows nothing.`;
    case "pairs":
      return `${outcome.pairs.length} tickets were worked on with both models, for ${formatUsd(costMicroUsd)}.`;
  }
}

function costOf(pairs: readonly EvaluatedPair[]): number {
  return pairs.reduce((sum, { baseline, candidate }) => sum + baseline.costMicroUsd + candidate.costMicroUsd, 0);
}

function refusal(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
