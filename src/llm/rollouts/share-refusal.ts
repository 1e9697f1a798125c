import { StepFailure } from "../../core/failure.ts";
import { formatShare } from "../../core/share.ts";

/** The failure of a share that cannot be changed, because the subject is not what the rollout knows of it. Nothing was changed. */
export function shareRefusal(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}

/** Throws StepFailure `invalid_parameters` unless this is a share, 0 to 1. */
export function assertShare(share: number): void {
  if (share >= 0 && share <= 1) return;
  const message = `A share of the tickets is 0 to 1 and not ${Number.isFinite(share) ? formatShare(share) : String(share)}.`;
  throw new StepFailure({ reason: "invalid_parameters", message, applied: "no" });
}
