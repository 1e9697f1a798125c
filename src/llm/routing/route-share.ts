import type { RolloutSubject } from "../../../packages/sdk/src/wire/rollouts.ts";
import { type ModelRef, type ModelRoute, maxFallbacks, type RouteTargets } from "../../../packages/sdk/src/wire/routing.ts";
import type { Clock } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import { formatShare } from "../../core/share.ts";
import { formatModelRef, isSameRef } from "../models/model-ref.ts";
import type { FollowerBook } from "../rollouts/followers.ts";
import type { ShareControl, ShareRequest } from "../rollouts/share-control.ts";
import { assertShare, shareRefusal } from "../rollouts/share-refusal.ts";
import { type ModelRoutingStore, routeDocument, servedRoute } from "./model-route.ts";

/** How long the old model of a completed rollout stays as a fallback. */
export const oldModelFallbackMs = 7 * dayMs;

/** Tries of a change when another one came first. */
const maxTries = 5;

type ModelSubject = Extract<RolloutSubject, { readonly kind: "model" }>;

/** What the control of a route's candidate needs. */
export interface RouteShareDeps {
  readonly routes: ModelRoutingStore;
  readonly followers: Pick<FollowerBook, "count">;
  readonly clock: Pick<Clock, "now">;
}

/** Gives the model of a rollout to a share of a route's tickets. A ticket keeps the model that it began with. */
export function createRouteShare({ routes, followers, clock }: RouteShareDeps): ShareControl {
  /** Writes what `decide` makes of the route; undefined: it is already so. */
  async function change(request: ShareRequest, reason: string, decide: (route: ModelRoute) => RouteTargets | undefined): Promise<void> {
    const { route: id } = modelSubject(request);
    for (let tries = 0; tries < maxTries; tries += 1) {
      const route = await routes.read(id);
      if (route === undefined) throw shareRefusal(`There is no route ${id}.`);
      const targets = decide(route);
      if (targets === undefined) return;
      if ((await routes.set({ id, expected: route.version, targets, by: request.by, reason })).kind === "set") return;
    }
    throw shareRefusal(`Route ${id} was changed by others again and again; it stays as it is.`);
  }

  return {
    async trialOf(name) {
      const route = name.kind === "model" ? await routes.read(name.route) : undefined;
      const { candidate, baseline } = route ?? {};
      if (route === undefined || baseline === undefined || candidate === undefined || candidate === null) return undefined;
      const { share, salt, rollout } = candidate;
      const subject = { kind: "model", route: route.id, from: modelOf(baseline), to: modelOf(candidate) } as const;
      return { subject, share, salt, ...(rollout !== undefined && { rollout }) };
    },
    async resolve(target) {
      const route = target.kind === "model" ? await routes.read(target.route) : undefined;
      if (route === undefined || target.kind !== "model") return undefined;
      return { kind: "model", route: route.id, from: modelOf(route.baseline), to: modelOf(target.to) };
    },
    async read(request) {
      const { candidate } = (await routes.read(modelSubject(request).route)) ?? {};
      return candidate !== undefined && candidate !== null && isOurs(candidate, request) ? candidate.share : undefined;
    },
    async set(request, share) {
      assertShare(share);
      const { from, to } = modelSubject(request);
      await change(request, `${nameOf(request)}: ${formatShare(share)}`, (route) => {
        const { baseline, candidate } = route;
        if (!isSameRef(baseline, from)) throw foreign(route);
        if (candidate !== null && !isOurs(candidate, request)) throw foreign(route);
        if (candidate?.share === share) return undefined;
        const { salt, rollout } = request;
        return { ...targetsOf(route), candidate: { ...to, share, salt, ...(rollout !== undefined && { rollout }) } };
      });
    },
    async rollBack(request) {
      const { from, to } = modelSubject(request);
      await change(request, `${nameOf(request)}: taken back`, (route) => {
        const { baseline, candidate, fallback } = route;
        if (candidate !== null && !isOurs(candidate, request)) throw foreign(route);
        if (isSameRef(baseline, from)) return candidate === null ? undefined : { ...targetsOf(route), candidate: null };
        // Completed, or completed and put on trial again: the old model is its fallback then.
        if (!isSameRef(baseline, to) || !fallback.some((model) => isSameRef(model, from))) throw foreign(route);
        return {
          baseline: from,
          candidate: null,
          fallback: fallback.filter((model) => !(isSameRef(model, from) && model.until !== undefined)),
        };
      });
    },
    async complete(request) {
      const { route: id, from, to } = modelSubject(request);
      await change(request, `${nameOf(request)}: completed`, (route) => {
        const { baseline, candidate, fallback } = route;
        if (candidate === null && isSameRef(baseline, to)) return undefined;
        if (candidate === null && isSameRef(baseline, from))
          throw shareRefusal(`Route ${id} has no model on trial that could become its only one.`);
        if (candidate === null || !isOurs(candidate, request) || !isSameRef(baseline, from)) throw foreign(route);
        const others = fallback.filter((model) => !isSameRef(model, to) && !isSameRef(model, from));
        // A model that was a fallback before stays one without an end.
        const old = fallback.find((model) => isSameRef(model, from) && model.until === undefined) ?? {
          ...from,
          until: clock.now() + oldModelFallbackMs,
        };
        return { baseline: to, candidate: null, fallback: [old, ...others].slice(0, maxFallbacks) };
      });
    },
    async followers(request) {
      const { route: id } = modelSubject(request);
      const route = await routes.read(id);
      if (route === undefined) return { followers: 0, current: 0 };
      return followers.count(routeDocument(id), servedRoute(route, clock.now()).tag);
    },
  };
}

function modelSubject({ subject }: ShareRequest): ModelSubject {
  if (subject.kind !== "model") throw new Error(`A route has no ${subject.kind}.`);
  return subject;
}

function modelOf({ provider, model }: ModelRef): ModelRef {
  return { provider, model };
}

function isOurs(candidate: NonNullable<RouteTargets["candidate"]>, { subject, salt, rollout }: ShareRequest): boolean {
  return subject.kind === "model" && isSameRef(candidate, subject.to) && candidate.salt === salt && candidate.rollout === rollout;
}

function targetsOf({ baseline, candidate, fallback }: ModelRoute): RouteTargets {
  return { baseline, candidate, fallback };
}

function nameOf({ rollout }: ShareRequest): string {
  return rollout === undefined ? "trial" : `rollout ${rollout}`;
}

function foreign({ id, baseline, candidate, by }: ModelRoute): Error {
  const trial = candidate === null ? "none on trial" : `${formatModelRef(candidate)} on trial for ${formatShare(candidate.share)}`;
  return shareRefusal(`Route ${id} was changed in between by ${by}: ${formatModelRef(baseline)}, ${trial}. It stays as it is.`);
}
