import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import type { ModelRoute, RouteTargets } from "../../../packages/sdk/src/wire/routing.ts";
import type { Instant } from "../../core/clock.ts";
import { entityTagOf } from "../rollouts/entity-tag.ts";

/** Reply to a change: the route as it is now; `conflict`: its version was not the expected one, and nothing was written. */
export type RouteChangeResult =
  | { readonly kind: "set"; readonly route: ModelRoute }
  | { readonly kind: "conflict"; readonly route: ModelRoute | undefined };

/** A change of one route from the version that was read; 0 where there was none. */
export interface RouteChange {
  readonly id: string;
  readonly expected: number;
  readonly targets: RouteTargets;
  readonly by: string;
  readonly reason: string;
}

/** Where routes are kept. Every member is atomic and rejects with StoreUnavailable when the store does not answer. */
export interface ModelRoutingStore {
  read(id: string): Promise<ModelRoute | undefined>;
  /** By id. */
  list(): Promise<readonly ModelRoute[]>;
  /** Compare-and-set on the version. The same targets again are set already, also when another person wrote them. */
  set(change: RouteChange): Promise<RouteChangeResult>;
}

/** Whether a route goes where these targets say. */
export function hasTargets({ baseline, candidate, fallback }: RouteTargets, targets: RouteTargets): boolean {
  const { baseline: wanted, candidate: trial, fallback: others } = targets;
  return canonicalJson({ baseline, candidate, fallback }) === canonicalJson({ baseline: wanted, candidate: trial, fallback: others });
}

/** Name of a route's document among those that applications follow. */
export function routeDocument(id: string): string {
  return `route/${id}`;
}

/** What applications are given of a route now, without fallbacks whose time is over, and its entity tag. */
export function servedRoute(route: ModelRoute, now: Instant): { readonly document: ModelRoute; readonly tag: string } {
  const document = { ...route, fallback: route.fallback.filter(({ until }) => until === undefined || until > now) };
  return { document, tag: entityTagOf({ ...document }) };
}
