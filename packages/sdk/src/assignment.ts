import { hash } from "node:crypto";
import type { FlagDefinition } from "./wire/flags.ts";
import type { Json } from "./wire/json.ts";
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

/** What a flag is to one targeting key, such as a ticket's id. `reason` is a word of OpenFeature. */
export type FlagAssignment =
  | {
      readonly kind: "assigned";
      readonly variant: string;
      readonly value: Json;
      readonly reason: "DISABLED" | "STATIC" | "SPLIT";
      /** Present when a rollout set the share and the flag is on. */
      readonly rollout?: RolloutAssignment;
    }
  /** `variant_missing`: the flag names a variant that it does not have, or whose value is not of its type. */
  | { readonly kind: "failed"; readonly fault: "targeting_key_missing" | "variant_missing" };

/** What {@link assignFlag} reads of a flag. */
export type AssignedFlag = Pick<FlagDefinition, "type" | "variants" | "state" | "offVariant" | "defaultVariant" | "rollout">;

/**
 * The variant of one targeting key. A flag that is in any state but `on` is off for every key. A key is needed only for a share between 0 and 1, and a
 * growing share takes no variant back.
 */
export function assignFlag(flag: AssignedFlag, targetingKey: string | undefined): FlagAssignment {
  const { rollout } = flag;
  if (flag.state !== "on") {
    const off = variantOf(flag, flag.offVariant, { reason: "DISABLED" });
    // Off must reach the application even when the document was damaged: without a value it would use a default of its own.
    if (off.kind === "failed" && flag.type === "boolean")
      return { kind: "assigned", variant: flag.offVariant, value: false, reason: "DISABLED" };
    return off;
  }
  if (rollout === null) return variantOf(flag, flag.defaultVariant, { reason: "STATIC" });
  const isSplit = rollout.share > 0 && rollout.share < 1;
  if (isSplit && targetingKey === undefined) return { kind: "failed", fault: "targeting_key_missing" };
  const arm = rollout.share >= 1 || (isSplit && targetingKey !== undefined && isInCanary(rollout, targetingKey)) ? "canary" : "baseline";
  return variantOf(flag, arm === "canary" ? rollout.variant : flag.defaultVariant, { reason: "SPLIT", ...rolloutOf(rollout, arm) });
}

/** A variant by its name, when the flag has it with a value of its type. */
export function variantOf(
  { type, variants }: Pick<AssignedFlag, "type" | "variants">,
  variant: string,
  rest: Pick<Extract<FlagAssignment, { kind: "assigned" }>, "reason" | "rollout">,
): FlagAssignment {
  const value = Object.hasOwn(variants, variant) ? variants[variant] : undefined;
  if (value === undefined || typeof value !== type || value === null) return { kind: "failed", fault: "variant_missing" };
  return { kind: "assigned", variant, value, ...rest };
}

/** The rollout that gives a share of the tickets to something new, and the arm of one ticket. */
function rolloutOf(
  trial: { readonly share: number; readonly rollout?: string } | undefined,
  arm: RolloutAssignment["arm"],
): { readonly rollout?: RolloutAssignment } {
  return trial?.rollout === undefined ? {} : { rollout: { rollout: trial.rollout, arm, share: trial.share } };
}
