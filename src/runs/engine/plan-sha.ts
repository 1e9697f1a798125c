import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import type { Plan } from "../../../packages/sdk/src/wire/plans.ts";
import { sha256 } from "../../core/json.ts";

/** Identifies exactly this resolved plan of this action; what an approval is bound to. */
export function planShaOf(action: string, plan: Plan): string {
  return sha256(canonicalJson({ action, plan }));
}

/** Sent to targets that honour Idempotency-Key; equal for every attempt that may have reached the target. */
export function idempotencyKeyOf(runId: string, step: string, group: number | "undo"): string {
  return sha256(`${runId}:${step}:${group}`);
}
