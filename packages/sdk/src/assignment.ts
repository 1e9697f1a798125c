import { hash } from "node:crypto";
import type { PromptRollout, ServedPrompt, ServedVersion } from "./wire/prompts.ts";
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
}

/** The version of one ticket: always the same answer while nothing is promoted, and a growing share takes none back. */
export function assignPrompt({ production, canary }: ServedPrompt, ticketId: string): PromptAssignment {
  if (canary !== undefined && isInCanary(canary, ticketId)) return { version: canary, variant: "canary" };
  return { version: production, variant: "baseline" };
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
