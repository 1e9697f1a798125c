import type { ModelDescription, ModelFeature } from "../../packages/sdk/src/wire/models.ts";
import type { ModelRef, ModelRoute } from "../../packages/sdk/src/wire/routing.ts";
import type { Clock } from "../core/clock.ts";
import { minuteMs } from "../core/duration.ts";
import { oneUsd } from "../core/money.ts";
import { formatShare } from "../core/share.ts";
import type { ModelCatalog } from "../llm/models/model-catalog.ts";
import { formatModelRef, isSameRef } from "../llm/models/model-ref.ts";
import type { RouteHistory } from "../llm/models/route-history.ts";
import type { EvaluationStore } from "../llm/rollouts/evaluation.ts";
import type { EvaluationRequest, Evaluator } from "../llm/rollouts/evaluator.ts";
import type { ModelRoutingStore } from "../llm/routing/model-route.ts";
import { createMemoryEvaluations } from "./memory-evaluations.ts";
import { createMemoryModelRoutes } from "./memory-model-routes.ts";
import type { SimulatedModel, SimulatedRoute, SimulatedTrial } from "./rehearsal.ts";

/** How long the evaluator takes to work on the tickets. */
const evaluationMs = 5 * minuteMs;

/** The routes of a rehearsal with everything that acts on them. */
export interface SimulatedRoutes {
  readonly routes: ModelRoutingStore;
  readonly models: ModelCatalog;
  readonly history: RouteHistory;
  readonly evaluations: EvaluationStore;
  /** Knows models; what it is asked of prompts is an error. */
  readonly evaluator: Evaluator;
}

/** What a rehearsal says of routes and models. */
interface RoutedWorld {
  readonly routes: readonly SimulatedRoute[];
  readonly models: readonly SimulatedModel[];
}

/** Routes that go to one model each, and an evaluator that finds of every candidate what the rehearsal says. `changed` hears every change as one line. */
export function createSimulatedRoutes(world: RoutedWorld, clock: Pick<Clock, "now">, changed: (line: string) => void): SimulatedRoutes {
  const start = clock.now();
  const inner = createMemoryModelRoutes(
    clock,
    world.routes.map(
      ({ id, baseline, trial }): ModelRoute => ({
        id,
        baseline,
        candidate: trial === undefined ? null : candidateOf(id, trial),
        fallback: [],
        version: 1,
        at: start,
        by: "shipped",
        reason: "",
      }),
    ),
  );
  const evaluations = new Map<string, { readonly from: number; readonly request: EvaluationRequest }>();
  const find = (id: string) => world.routes.find((route) => route.id === id);

  return {
    routes: {
      ...inner,
      async set(change) {
        const before = await inner.read(change.id);
        const result = await inner.set(change);
        if (result.kind === "set" && result.route.version !== before?.version)
          changed(`route/${change.id}: ${describeTargets(before)} -> ${describeTargets(result.route)}`);
        return result;
      },
    },
    models: {
      describe: async (refs) => refs.map((ref) => describe(ref)),
      all: async () => world.models.map((model) => describe(model)),
    },
    history: {
      async use({ id }) {
        const { requests = 0, features = [], largestTokens = 0 } = find(id) ?? {};
        return { requests, features, largestTokens };
      },
      // A rehearsed ticket begins with what the route says at that moment.
      async newTickets({ id }) {
        const trial = find(id)?.trial;
        if (trial?.reported !== true) return { kind: "unseen", why: "not_reported" };
        return { kind: "counted", tickets: trial.newTickets };
      },
      async tickets({ id }) {
        const { tickets = 0, costUsd = 0 } = find(id) ?? {};
        const costMicroUsd = Math.round(costUsd * oneUsd);
        return {
          tickets: Array.from({ length: tickets }, (_, nth) => ({ id: `${id}-${nth}`, kind: "bug", repository: "shop", costMicroUsd })),
        };
      },
    },
    evaluations: createMemoryEvaluations(),
    evaluator: {
      async start(request, key) {
        const { subject, tickets } = request;
        if (subject.kind !== "model") throw new Error("This evaluator only knows models.");
        if (!evaluations.has(key)) {
          evaluations.set(key, { from: clock.now(), request });
          changed(
            `route/${subject.route}: ${tickets} tickets are worked on with ${formatModelRef(subject.from)} and ${formatModelRef(subject.to)}`,
          );
        }
        return { id: key };
      },
      async read(id) {
        const evaluation = evaluations.get(id);
        if (evaluation?.request.subject.kind !== "model") return { kind: "failed", reason: "there is no such evaluation" };
        const { ticketIds = [], subject, maxMicroUsd = Number.POSITIVE_INFINITY } = evaluation.request;
        const { costUsd = 0, costRatio = 1, worseAnswers = 0, badAnswers = 0 } = find(subject.route) ?? {};
        const ticketMicroUsd = Math.round(costUsd * oneUsd);
        const pairMicroUsd = ticketMicroUsd + Math.round(ticketMicroUsd * costRatio);
        const share = Math.min(1, (clock.now() - evaluation.from) / evaluationMs);
        const done = Math.floor(ticketIds.length * share);
        const pairs = ticketIds.slice(0, done).map((ticketId, nth) => ({
          ticketId,
          baseline: { quality: nth >= ticketIds.length - badAnswers ? 0 : 1, costMicroUsd: ticketMicroUsd },
          candidate: { quality: nth < worseAnswers ? 0 : 1, costMicroUsd: Math.round(ticketMicroUsd * costRatio) },
        }));
        const costMicroUsd = done * pairMicroUsd;
        if (costMicroUsd > maxMicroUsd) return { kind: "stopped", pairs, costMicroUsd };
        if (share < 1) return { kind: "running", done, of: ticketIds.length, costMicroUsd };
        return { kind: "done", pairs, costMicroUsd };
      },
      stop: async (id) => {
        if (evaluations.delete(id)) changed("the evaluation is stopped");
      },
    },
  };

  function describe(ref: ModelRef): ModelDescription {
    const model = world.models.find((one) => isSameRef(one, ref));
    const named = { provider: ref.provider, model: ref.model };
    if (model === undefined) return { ...named, lifecycle: "unknown", overdue: false, features: {}, source: "none" };
    const { lifecycle, retiresInMs, contextTokens, features, priced, replacement } = model;
    const has = (feature: ModelFeature) => features.includes(feature);
    return {
      ...named,
      lifecycle,
      overdue: false,
      ...(retiresInMs !== undefined && { retiresAt: start + retiresInMs }),
      contextTokens,
      features: {
        tools: has("tools"),
        thinking: has("thinking"),
        caching: has("caching"),
        batch: has("batch"),
        images: has("images"),
        documents: has("documents"),
        structured_outputs: has("structured_outputs"),
      },
      ...(replacement !== undefined && { replacement }),
      ...(priced && { price: { input: 1, output: 1 } }),
      source: "provider",
      asOf: start,
    };
  }
}

/** Id of the rollout that set the share of a route's trial before the alert. */
export function rolloutOfTrial(route: string): string {
  return `ro-${route}-before`;
}

function candidateOf(route: string, { model, share, rollout }: SimulatedTrial): NonNullable<ModelRoute["candidate"]> {
  if (rollout === "none") return { ...model, share, salt: "ada" };
  const name = rolloutOfTrial(route);
  return { ...model, share, salt: name, rollout: name };
}

function describeTargets(route: ModelRoute | undefined): string {
  if (route === undefined) return "none";
  const { baseline, candidate } = route;
  const trial = candidate === null ? "" : `, ${formatModelRef(candidate)} ${formatShare(candidate.share, { decimals: 0 })}`;
  return `${formatModelRef(baseline)}${trial}`;
}
