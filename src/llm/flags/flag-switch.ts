import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Followers } from "../rollouts/share-control.ts";

/** A flag as its system stores it. */
export interface FlagReading {
  readonly key: string;
  readonly state: "on" | "off";
  /** Differs whenever the flag differs; opaque. */
  readonly version: string;
}

/** A change of a flag's state. */
export interface FlagStateChange {
  readonly key: string;
  readonly state: "on" | "off";
  /** Who asks, e.g. `run:01J…`. */
  readonly by: string;
  readonly reason: string;
}

/** `set`: the state is what was asked for, now or already; `unknown`: no such flag; `refused`: the system forbids it, e.g. because a change needs a review. */
export type FlagStateResult =
  | { readonly kind: "set"; readonly reading: FlagReading }
  | { readonly kind: "unknown" }
  | { readonly kind: "refused"; readonly reason: string };

/** What an application gets. */
export interface FlagEvaluation {
  readonly value: Json;
  readonly variant?: string;
  readonly reason: string;
}

/**
 * Switches flags in the system that keeps them. Every member rejects with a StepFailure when the system cannot be asked (`not_reachable`,
 * `overloaded`, `timeout`, `unknown_outcome`) and when it refuses our credentials (`refused_by_target`); cannot be seen is never off.
 */
export interface FlagSwitch {
  read(key: string): Promise<FlagReading | undefined>;
  /** Setting the state that the flag has already changes nothing and is `set`. */
  setState(change: FlagStateChange): Promise<FlagStateResult>;
  /**
   * Asks the way an application asks, not the way an administrator does. undefined: the system has no value for an application, because there is no
   * such flag or because it leaves the value to the application's own default. That is not off.
   */
  evaluate(key: string, targetingKey: string): Promise<FlagEvaluation | undefined>;
  /** Processes that evaluate the flag; undefined where the system does not say. */
  followers(key: string): Promise<Followers | undefined>;
}
