import { StepFailure } from "../core/failure.ts";
import type { Recipients } from "./recipients.ts";

/** Whether anybody is told when this group is. */
export function hasRecipients(recipients: Recipients, group: string): boolean {
  return (recipients.addresses(group) ?? []).length + recipients.targets(group).length > 0;
}

/** Throws StepFailure when no group of recipients has this name, or it is empty. */
export function requireGroup(recipients: Recipients, group: string): void {
  if (hasRecipients(recipients, group)) return;
  throw new StepFailure({
    reason: "invalid_parameters",
    message: `There is no configured group of recipients "${group}".`,
    applied: "no",
  });
}
