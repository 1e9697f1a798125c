/** Where Alertmanager sends its notifications. */
export const alertmanagerPath = "/webhooks/alertmanager";

/** Whose address the URL of a webhook is. `hidden`: it does not say, as it is masked or filled in later. */
export type WebhookAddress = "ours" | "hidden" | "other";

/** Reads the URL of a webhook as the server answers: ours may have the prefix of a proxy, a slash at its end, a query and a fragment. */
export function webhookAddress(url: string): WebhookAddress {
  // From 0.26 on Alertmanager shows addresses as <secret>.
  if (/<secret>|\{\{|\$\{?\w/u.test(url)) return "hidden";
  const path = /^[^?#]*/u.exec(url)?.[0] ?? "";
  return path.replace(/\/$/u, "").endsWith(alertmanagerPath) ? "ours" : "other";
}
