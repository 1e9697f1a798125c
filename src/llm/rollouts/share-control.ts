import type { RolloutSubject } from "../../../packages/sdk/src/wire/rollouts.ts";
import type { ModelRef } from "../../../packages/sdk/src/wire/routing.ts";

/** How many of the processes that read a route, prompt or flag have its newest version. */
export interface Followers {
  /** Processes that asked within the last minute. */
  readonly followers: number;
  /** Of them, those that hold the newest version. */
  readonly current: number;
}

/** What a rollout is about, without its variants. */
export type SubjectName =
  | { readonly kind: "model"; readonly route: string }
  | { readonly kind: "prompt"; readonly prompt: string }
  | { readonly kind: "flag"; readonly flag: string };

/** A variant that a share of the tickets gets now, by a rollout or by a person. */
export interface Trial {
  readonly subject: RolloutSubject;
  readonly share: number;
  readonly salt: string;
  /** Id of the rollout that set it; absent when a person did. */
  readonly rollout?: string;
}

/** A subject before its old variant was looked up. */
export type SubjectTarget =
  | { readonly kind: "model"; readonly route: string; readonly to: ModelRef }
  | { readonly kind: "prompt"; readonly prompt: string; readonly to: number }
  | { readonly kind: "flag"; readonly flag: string; readonly to: string };

/** What changing the share of one subject needs. */
export interface ShareRequest {
  readonly subject: RolloutSubject;
  readonly salt: string;
  /** Id of the rollout, which applications send back with their tickets; undefined for a trial that a person set. */
  readonly rollout: string | undefined;
  /** Who asks, e.g. `run:01J…`. */
  readonly by: string;
}

/**
 * Gives the new variant of one kind of subject to a share of the tickets. Every member is a compare-and-set: it succeeds again when the
 * state is already what was asked for, and throws StepFailure `refused_by_target` when the value is neither the old nor the new one.
 */
export interface ShareControl {
  /** What is on trial now; undefined: nothing is. */
  trialOf(name: SubjectName): Promise<Trial | undefined>;
  /** Adds the variant that tickets get now as `from`; undefined: there is no such route, prompt or flag, or it has no version `to`. */
  resolve(target: SubjectTarget): Promise<RolloutSubject | undefined>;
  /** The share now; undefined: the subject has no canary, or the canary of another rollout. */
  read(request: ShareRequest): Promise<number | undefined>;
  /** 0 to 1. A ticket keeps what it began with. */
  set(request: ShareRequest, share: number): Promise<void>;
  /** New tickets get the old variant again. Also valid when the share was never set. */
  rollBack(request: ShareRequest): Promise<void>;
  /** The new variant becomes the only one, the old one its fallback. */
  complete(request: ShareRequest): Promise<void>;
  followers(request: ShareRequest): Promise<Followers>;
}

/** One control per kind of subject. */
export type ShareControls = { readonly [Kind in RolloutSubject["kind"]]?: ShareControl };
