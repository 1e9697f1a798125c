import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";

/** The label that marks an alert of `runbookd alert test`; its run only observes. */
export const testAlertLabel = "runbookd_test";

/** Whether this alert is a test that only shows where it goes. */
export function isTestAlert(labels: Labels): boolean {
  return labels[testAlertLabel] === "true";
}
