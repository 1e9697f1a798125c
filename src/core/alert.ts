import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";

/** The label that marks an alert of `runbookd alert test`; its run only observes. */
export const testAlertLabel = "runbookd_test";

/** Whether somebody sent this alert only to see where it goes. */
export function isTestAlert(labels: Labels): boolean {
  return labels[testAlertLabel] === "true";
}
