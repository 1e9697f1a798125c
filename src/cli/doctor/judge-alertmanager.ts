import { parseDocument } from "yaml";
import { z } from "zod";
import { type Finding, fault, fine, warning } from "../../core/diagnosis.ts";

const route: z.ZodType<Route> = z.lazy(() => z.looseObject({ receiver: z.string().optional(), routes: z.array(route).optional() }));

interface Route {
  readonly receiver?: string | undefined;
  readonly routes?: readonly Route[] | undefined;
}

const configuration = z.looseObject({
  route: route.optional(),
  receivers: z
    .array(
      z.looseObject({
        name: z.string(),
        webhook_configs: z
          .array(
            z.looseObject({
              url: z.string().optional(),
              send_resolved: z.boolean().optional(),
              max_alerts: z.number().optional(),
              payload: z.unknown().optional(),
            }),
          )
          .optional(),
      }),
    )
    .default([]),
});

/** Whether an Alertmanager's configuration, as its status shows it, sends alerts to runbookd. Newer ones hide the URL. */
export function judgeAlertmanagerConfig(text: string): readonly Finding[] {
  const name = "Alertmanager's route to us";
  const howTo =
    "Add a receiver with a webhook_configs url that ends in /webhooks/alertmanager and a route to it; alerts/alertmanager.yml shows both.";
  const parsed = configuration.safeParse(parseDocument(text, { logLevel: "silent" }).toJS());
  if (!parsed.success) return [warning(name, "its configuration cannot be read", howTo)];
  const { receivers, route: root } = parsed.data;
  const hooks = receivers.flatMap((receiver) => (receiver.webhook_configs ?? []).map((hook) => ({ receiver: receiver.name, ...hook })));
  const ours = hooks.filter((hook) => (/^[^?#]*/.exec(hook.url ?? "")?.[0] ?? "").replace(/\/$/, "").endsWith("/webhooks/alertmanager"));
  const [first] = ours;
  if (first === undefined) {
    const isHidden = hooks.some((hook) => hook.url === undefined || hook.url.includes("<secret>"));
    if (isHidden) return [warning(name, "its webhook addresses are hidden", "Compare the receiver's url with our address by hand.")];
    return [fault(name, "no receiver calls runbookd", howTo)];
  }
  const routed = receiversOf(root);
  if (!ours.some((hook) => routed.has(hook.receiver))) {
    return [fault(name, `no route leads to the receiver ${first.receiver}`, `Add a route with receiver: ${first.receiver}.`)];
  }
  const findings = [fine(name, `receiver ${first.receiver}`)];
  if (first.payload !== undefined) {
    findings.push(
      fault(
        "Alertmanager payload",
        "a body of its own, which runbookd cannot read",
        "Remove payload: from the webhook_configs of our receiver.",
      ),
    );
  }
  if (first.send_resolved === false) {
    findings.push(warning("Alertmanager send_resolved", "false", "Set send_resolved: true, so that a run hears when its alert has ended."));
  }
  if ((first.max_alerts ?? 0) > 0) {
    findings.push(
      warning("Alertmanager max_alerts", String(first.max_alerts), "Set max_alerts: 0; alerts beyond the number never reach us."),
    );
  }
  return findings;
}

function receiversOf(root: Route | undefined): ReadonlySet<string> {
  if (root === undefined) return new Set();
  return new Set([
    ...(root.receiver === undefined ? [] : [root.receiver]),
    ...(root.routes ?? []).flatMap((child) => [...receiversOf(child)]),
  ]);
}
