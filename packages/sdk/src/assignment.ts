import { hash } from "node:crypto";
import type { PromptRollout, ServedPrompt, ServedVersion } from "./wire/prompts.ts";
import type { RolloutAssignment } from "./wire/rollouts.ts";
import type { ModelRef, RouteTargets } from "./wire/routing.ts";

/** Where a ticket falls, in [0, 1): the first four bytes of SHA-256 over salt and id. The same everywhere, in every language. */
export function bucketOf(salt: string, ticketId: string): number {
  return hash("sha256", `${salt}:${ticketId}`, "buffer").readUInt32BE(0) / 2 ** 32;
}

/** Whether the ticket is one of the canary's. */
export function isInCanary(rollout: Pick<PromptRollout, "share" | "salt">, ticketId: string): boolean {
  return bucketOf(rollout.salt, ticketId) < rollout.share;
}

/** What one ticket gets; `variant` goes into its usage reports. */
export interface PromptAssignment {
  readonly version: ServedVersion;
  readonly variant: "baseline" | "canary";
  /** Present when a rollout set the share. */
  readonly rollout?: RolloutAssignment;
}

/** The version of one ticket: always the same answer while nothing is promoted, and a growing share takes none back. */
export function assignPrompt({ production, canary }: ServedPrompt, ticketId: string): PromptAssignment {
  const variant = canary !== undefined && isInCanary(canary, ticketId) ? "canary" : "baseline";
  return { version: variant === "canary" && canary !== undefined ? canary : production, variant, ...rolloutOf(canary, variant) };
}

/** What one ticket gets; `variant` goes into its usage reports and its release. What a ticket's saved work names of it is kept when the ticket goes on. */
export interface RouteAssignment extends ModelRef {
  readonly variant: "baseline" | "canary";
  /** Present when a rollout set the share. */
  readonly rollout?: RolloutAssignment;
}

/** The model of one ticket: the same answer while nothing is completed, and a growing share takes none back. */
export function assignModel({ baseline, candidate }: RouteTargets, ticketId: string): RouteAssignment {
  const variant = candidate !== null && isInCanary(candidate, ticketId) ? "canary" : "baseline";
  const { provider, model } = variant === "canary" && candidate !== null ? candidate : baseline;
  return { provider, model, variant, ...rolloutOf(candidate ?? undefined, variant) };
}

/** The rollout that gives a share of the tickets to something new, and the arm of one ticket. */
function rolloutOf(
  trial: { readonly share: number; readonly rollout?: string } | undefined,
  arm: RolloutAssignment["arm"],
): { readonly rollout?: RolloutAssignment } {
  return trial?.rollout === undefined ? {} : { rollout: { rollout: trial.rollout, arm, share: trial.share } };
}
