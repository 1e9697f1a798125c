import { type Rollout, rolloutPlanSchema } from "../../packages/sdk/src/wire/rollouts.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { dayMs, hourMs } from "../core/duration.ts";
import { oneUsd } from "../core/money.ts";
import type { Random } from "../core/random.ts";
import type { FlagStore } from "../llm/flags/flag.ts";
import { createFlagShare } from "../llm/flags/flag-share.ts";
import { createPromptShare } from "../llm/prompts/prompt-share.ts";
import type { FollowerBook } from "../llm/rollouts/followers.ts";
import { afterChange, firstVersion, type RolloutStore } from "../llm/rollouts/rollout.ts";
import type { ShareControl, ShareControls } from "../llm/rollouts/share-control.ts";
import { routeDocument } from "../llm/routing/model-route.ts";
import { createRouteShare } from "../llm/routing/route-share.ts";
import type { Course, SimulatedFeature, SimulatedPrompt, SimulatedRoute } from "./rehearsal.ts";
import type { SimulatedFlags } from "./simulated-flags.ts";
import type { SimulatedPrompts } from "./simulated-prompts.ts";
import { rolloutOfTrial, type SimulatedRoutes } from "./simulated-routes.ts";
import { createSimulatedTraffic, type SimulatedStream, type SimulatedTicketEnd } from "./simulated-traffic.ts";

/** Rollouts of a rehearsal, with the tickets that they count. */
export interface SimulatedRollouts {
  readonly rolloutStore: RolloutStore;
  readonly shareControls: ShareControls;
}

/** What the rollouts of a rehearsal need. */
interface RolloutWorld {
  readonly written: { readonly prompts: readonly SimulatedPrompt[]; readonly routes: readonly SimulatedRoute[] };
  readonly prompts: Pick<SimulatedPrompts, "prompts" | "rollouts">;
  readonly routes: Pick<SimulatedRoutes, "routes">;
  /** Features, whose first flag a rollout may be of. */
  readonly features: readonly SimulatedFeature[];
  readonly flags: Pick<SimulatedFlags, "followers"> & { readonly flags: Pick<FlagStore, "read" | "set"> };
}

const microUsdPerPromptTicket = 10_000;

/** Rollouts whose tickets are simulated: each begins with the variant that its id hashes to, and ends as the rehearsal says. */
export function createSimulatedRollouts(
  { written, prompts, routes, features, flags }: RolloutWorld,
  clock: Pick<Clock, "now">,
): SimulatedRollouts {
  const start = clock.now();
  const followers = simulatedFollowers(written.routes);
  const route = createRouteShare({ routes: routes.routes, followers, clock });
  const prompt = createPromptShare({ prompts: prompts.prompts, rollouts: prompts.rollouts, followers });
  const flag = createFlagShare(flags);
  const streams: SimulatedStream[] = [
    ...features.map((one) => streamOfFeature(one, flag, { flags: flags.flags, start })),
    ...written.routes.map((one) => ({
      name: `route-${one.id}`,
      trial: () => route.trialOf({ kind: "model", route: one.id }),
      perMinute: (at: Instant) => valueAt(one.ticketsPerMinute, at - start),
      end: (arm: "baseline" | "canary", ticket: { readonly at: Instant; readonly random: Random }) =>
        endOfRouteTicket(one, arm, { ...ticket, at: ticket.at - start }),
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
  const traffic = createSimulatedTraffic(clock, { streams, initial: written.routes.flatMap((one) => rolloutBefore(one, start) ?? []) });

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

  const shareControls = { model: afterTraffic(route), prompt: afterTraffic(prompt), flag: afterTraffic(flag) };
  return { rolloutStore: traffic.store, shareControls };
}

/** Tickets that a flag decides about while it is on. */
function streamOfFeature(
  { name, flags: [key = ""], ticketsPerMinute, quality, qualityWithout }: SimulatedFeature,
  control: ShareControl,
  { flags, start }: { readonly flags: Pick<FlagStore, "read">; readonly start: Instant },
): SimulatedStream {
  return {
    name: `feature-${name}`,
    trial: async () => ((await flags.read(key))?.state === "on" ? control.trialOf({ kind: "flag", flag: key }) : undefined),
    perMinute: (at) => valueAt(ticketsPerMinute, at - start),
    end(arm, { at, random }) {
      const succeeds = valueAt(arm === "canary" ? quality : qualityWithout, at - start);
      return { kind: "ended", succeeded: random() < succeeds, costMicroUsd: microUsdPerPromptTicket };
    },
  };
}

/** `at`: after the alert. */
function endOfRouteTicket(
  route: SimulatedRoute,
  arm: "baseline" | "canary",
  { at, random }: { readonly at: number; readonly random: Random },
): SimulatedTicketEnd {
  const fate = random();
  if (arm === "baseline") return ended(route.quality, 1);
  if (fate < route.candidateLost) return { kind: "lost" };
  return fate < route.candidateLost + route.candidateHangs ? { kind: "hangs" } : ended(route.candidateQuality, route.costRatio);

  function ended(quality: Course, costRatio: number): SimulatedTicketEnd {
    return { kind: "ended", succeeded: random() < valueAt(quality, at), costMicroUsd: Math.round(route.costUsd * oneUsd * costRatio) };
  }
}

function valueAt(course: Course, atMs: number): number {
  return typeof course === "number" ? course : (course.findLast(({ fromMs }) => fromMs <= atMs)?.value ?? 0);
}

/** The rollout that has set the share of a route's trial, at its first step. */
function rolloutBefore({ id, baseline, trial }: SimulatedRoute, now: Instant): Rollout | undefined {
  if (trial === undefined || trial.rollout === "none") return undefined;
  const subject = { kind: "model", route: id, from: baseline, to: trial.model } as const;
  const plan = rolloutPlanSchema.parse({ steps: [trial.share, 1], intervalMs: dayMs, deadlineMs: 6 * hourMs, lagMs: dayMs });
  const name = rolloutOfTrial(id);
  const planned = firstVersion({ id: name, subject, plan, salt: name, by: "ada", runId: undefined }, now);
  return afterChange(planned, { id: name, expected: 1, set: { state: trial.rollout, step: 0, stepSince: now } }, now);
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
