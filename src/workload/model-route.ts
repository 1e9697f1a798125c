import { z } from "zod";
import type { Instant } from "../core/clock.ts";
import { canonicalJson } from "../core/json.ts";
import { isInCanary } from "./canary.ts";
import { shortNameSchema } from "./names.ts";

/** A model of a provider, as usage reports name both. */
export const modelRefSchema = z.strictObject({ provider: z.string().min(1).max(60), model: z.string().min(1).max(120) });

/** See {@link modelRefSchema}. */
export type ModelRef = z.output<typeof modelRefSchema>;

const candidateSchema = modelRefSchema.extend({
  /** Share of the tickets that it gets, 0 to 1. */
  share: z.number().min(0).max(1),
  /** Mixed into the hash, so that two rollouts do not meet the same tickets. */
  salt: z.string().min(1).max(100),
});

/** Where the work of a route goes, as people and runs set it; see {@link ModelRoute}. */
export const routeTargetsSchema = z.strictObject({
  /** Whoever is not in the candidate's share. */
  baseline: modelRefSchema,
  /** A model on trial; null while there is none. */
  candidate: candidateSchema.nullable().default(null),
  /** In this order, when a provider is away; the application decides when that is. */
  fallback: z.array(modelRefSchema).max(5).default([]),
});

/** See {@link routeTargetsSchema}. */
export type RouteTargets = z.output<typeof routeTargetsSchema>;

/** Id of a route: a prompt, an operation, or whatever else an application asks a model for. */
export const routeIdSchema = shortNameSchema;

/** Which model the tickets of one kind of work get. A ticket keeps the model that it began with. */
export interface ModelRoute extends RouteTargets {
  readonly id: string;
  /** Counts changes from 1 on. */
  readonly version: number;
  readonly at: Instant;
  readonly by: string;
  readonly reason: string;
}

/** Reply to a change: the route as it is now; `conflict`: its version was not the expected one, and nothing was written. */
export type RouteReply =
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
export interface ModelRouteStore {
  read(id: string): Promise<ModelRoute | undefined>;
  /** By id. */
  list(): Promise<readonly ModelRoute[]>;
  /** Compare-and-set on the version. The same targets again, by whoever wrote them, are set already. */
  set(change: RouteChange): Promise<RouteReply>;
}

/** What one ticket gets; `variant` goes into its usage reports and its release. */
export interface RouteAssignment extends ModelRef {
  readonly variant: "baseline" | "canary";
}

/** The model of one ticket: the same answer while nothing is completed, and a growing share takes none back. */
export function assignModel({ baseline, candidate }: RouteTargets, ticketId: string): RouteAssignment {
  if (candidate !== null && isInCanary(candidate, ticketId))
    return { provider: candidate.provider, model: candidate.model, variant: "canary" };
  return { ...baseline, variant: "baseline" };
}

/** Whether a route goes where these targets say. */
export function holdsTargets({ baseline, candidate, fallback }: RouteTargets, targets: RouteTargets): boolean {
  const { baseline: wanted, candidate: trial, fallback: others } = targets;
  return canonicalJson({ baseline, candidate, fallback }) === canonicalJson({ baseline: wanted, candidate: trial, fallback: others });
}
