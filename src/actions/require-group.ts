import { StepFailure } from "../core/failure.ts";
import type { Recipients } from "./ports.ts";

/** Throws StepFailure when no group of recipients has this name, or it is empty. */
export function requireGroup(recipients: Recipients, group: string): void {
  if ((recipients.addresses(group) ?? []).length > 0) return;
  throw new StepFailure({
    reason: "invalid_parameters",
    message: `There is no configured group of recipients "${group}".`,
    applied: "no",
  });
}
