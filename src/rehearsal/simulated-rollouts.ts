import type { Clock } from "../core/clock.ts";
import { oneUsd } from "../core/money.ts";
import { createPromptShare } from "../llm/prompts/prompt-share.ts";
import type { FollowerBook } from "../llm/rollouts/followers.ts";
import type { RolloutStore } from "../llm/rollouts/rollout.ts";
import type { ShareControl, ShareControls } from "../llm/rollouts/share-control.ts";
import { routeDocument } from "../llm/routing/model-route.ts";
import { createRouteShare } from "../llm/routing/route-share.ts";
import { createMemoryRollouts } from "./memory-rollouts.ts";
import type { SimulatedPrompt, SimulatedRoute } from "./rehearsal.ts";
import type { SimulatedPrompts } from "./simulated-prompts.ts";
import type { SimulatedRoutes } from "./simulated-routes.ts";
import { createSimulatedTraffic, type SimulatedStream } from "./simulated-traffic.ts";

/** Rollouts of a rehearsal, with the tickets that they count. */
export interface SimulatedRollouts {
  readonly rolloutStore: RolloutStore;
  readonly shareControls: ShareControls;
}

/** What the rollouts of a rehearsal stand on. */
interface RolloutWorld {
  readonly written: { readonly prompts: readonly SimulatedPrompt[]; readonly routes: readonly SimulatedRoute[] };
  readonly prompts: Pick<SimulatedPrompts, "prompts" | "rollouts">;
  readonly routes: Pick<SimulatedRoutes, "routes">;
}

const microUsdPerPromptTicket = 10_000;

/** Rollouts whose tickets are simulated: each begins with the variant that its id hashes to, and ends as the rehearsal says. */
export function createSimulatedRollouts({ written, prompts, routes }: RolloutWorld, clock: Pick<Clock, "now">): SimulatedRollouts {
  const followers = simulatedFollowers(written.routes);
  const route = createRouteShare({ routes: routes.routes, followers, clock });
  const prompt = createPromptShare({ prompts: prompts.prompts, rollouts: prompts.rollouts, followers });
  const streams: SimulatedStream[] = [
    ...written.routes.map((one) => ({
      name: `route-${one.id}`,
      trial: () => route.trialOf({ kind: "model", route: one.id }),
      perMinute: () => one.ticketsPerMinute,
      end: (arm: "baseline" | "canary", { random }: { readonly random: () => number }) => ({
        kind: "ended" as const,
        succeeded: random() < (arm === "canary" ? one.candidateQuality : one.quality),
        costMicroUsd: Math.round(one.costUsd * oneUsd * (arm === "canary" ? one.costRatio : 1)),
      }),
    })),
    ...written.prompts.map((one) => ({
      name: `prompt-${one.name}`,
      trial: () => prompt.trialOf({ kind: "prompt", prompt: one.name }),
      perMinute: () => one.ticketsPerMinute,
      end: (arm: "baseline" | "canary", { random }: { readonly random: () => number }) => ({
        kind: "ended" as const,
        succeeded: random() < (arm === "canary" ? one.canaryQuality : one.quality),
        costMicroUsd: Math.round(microUsdPerPromptTicket * (arm === "canary" ? one.costRatio : 1)),
      }),
    })),
  ];
  const traffic = createSimulatedTraffic(createMemoryRollouts(clock), clock, streams);

  /** What is due belongs to the share before. */
  function afterTraffic(control: ShareControl): ShareControl {
    return {
      ...control,
      async set(request, share) {
        await traffic.advance();
        await control.set(request, share);
      },
      async rollBack(request) {
        await traffic.advance();
        await control.rollBack(request);
      },
      async complete(request) {
        await traffic.advance();
        await control.complete(request);
      },
    };
  }

  return { rolloutStore: traffic.store, shareControls: { model: afterTraffic(route), prompt: afterTraffic(prompt) } };
}

/** Processes that follow each route as the rehearsal says. */
function simulatedFollowers(routes: readonly SimulatedRoute[]): Pick<FollowerBook, "count"> {
  return {
    async count(document) {
      const one = routes.find(({ id }) => document === routeDocument(id));
      const { followers, staleFollowers } = one ?? { followers: 1, staleFollowers: 0 };
      return { followers, current: followers - staleFollowers };
    },
  };
}
