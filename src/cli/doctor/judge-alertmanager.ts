import { parseDocument } from "yaml";
import { z } from "zod";
import { type Finding, fault, fine, warning } from "../../core/diagnosis.ts";
import { webhookAddress } from "../../core/webhook-address.ts";
import { checkRouting } from "../../runbooks/rules/check-routing.ts";

/** What is read of it; a receiver, a webhook or a route that is written in another way must not hide the others. */
const configuration = z.looseObject({ route: z.unknown().optional(), receivers: z.array(z.unknown()).default([]) });
const receiverShape = z.looseObject({ name: z.string(), webhook_configs: z.array(z.unknown()).nullish().catch(undefined) });
const hookShape = z.looseObject({
  url: z.string().optional().catch(undefined),
  send_resolved: z.boolean().optional().catch(undefined),
  max_alerts: z.number().optional().catch(undefined),
  payload: z.unknown().optional(),
});
const routeShape = z.looseObject({
  receiver: z.string().optional().catch(undefined),
  routes: z.array(z.unknown()).nullish().catch(undefined),
});

type Hook = z.output<typeof hookShape> & { readonly receiver: string };

/** Whether an Alertmanager's configuration, as its status shows it, sends alerts to runbookd. Newer ones hide the URL. */
export function judgeAlertmanagerConfig(text: string): readonly Finding[] {
  const name = "Alertmanager's route to us";
  const howTo =
    "Add a receiver with a webhook_configs url that ends in /webhooks/alertmanager and a route to it; alerts/alertmanager.yml shows both.";
  const parsed = configuration.safeParse(parseDocument(text, { logLevel: "silent" }).toJS());
  if (!parsed.success) return [warning(name, "its configuration cannot be read", howTo)];
  const { receivers, route: root } = parsed.data;
  const hooks = receivers.flatMap(hooksOf);
  const ours = hooks.filter((hook) => webhookAddress(hook.url ?? "") === "ours");
  const [first] = ours;
  if (first === undefined) {
    const isHidden = hooks.some((hook) => hook.url === undefined || webhookAddress(hook.url) === "hidden");
    if (!isHidden) return [fault(name, "no receiver calls runbookd", howTo)];
    return [
      warning(name, "its webhook addresses are hidden", "Compare the receiver's url with our address by hand."),
      ...mutedRoutes(text),
    ];
  }
  const routed = receiversOf(root);
  if (!ours.some((hook) => routed.has(hook.receiver))) {
    return [fault(name, `no route leads to the receiver ${first.receiver}`, `Add a route with receiver: ${first.receiver}.`)];
  }
  return [fine(name, `receiver ${first.receiver}`), ...judgeHook(first), ...mutedRoutes(text)];
}

function hooksOf(receiver: unknown): readonly Hook[] {
  const read = receiverShape.safeParse(receiver).data;
  return (read?.webhook_configs ?? []).flatMap((hook): readonly Hook[] => {
    const parsed = hookShape.safeParse(hook);
    return read === undefined || !parsed.success ? [] : [{ ...parsed.data, receiver: read.name }];
  });
}

function judgeHook(hook: Hook): readonly Finding[] {
  const findings: Finding[] = [];
  if (hook.payload !== undefined) {
    findings.push(
      fault(
        "Alertmanager payload",
        "a body of its own, which runbookd cannot read",
        "Remove payload: from the webhook_configs of our receiver.",
      ),
    );
  }
  if (hook.send_resolved === false) {
    findings.push(warning("Alertmanager send_resolved", "false", "Set send_resolved: true, so that a run hears when its alert has ended."));
  }
  if ((hook.max_alerts ?? 0) > 0) {
    findings.push(
      warning("Alertmanager max_alerts", String(hook.max_alerts), "Set max_alerts: 0; alerts beyond the number never reach us."),
    );
  }
  return findings;
}

/** Routes to us, or to an address that is hidden, that are muted at times: the same rule as lint has for a file. */
function mutedRoutes(text: string): readonly Finding[] {
  return checkRouting({ file: "its configuration", source: text }, [])
    .filter(({ rule }) => rule === "route-muted")
    .map(({ message, accepted, position }) =>
      warning("Alertmanager times", `line ${position.line} of its configuration: ${message}`, `It should be ${accepted}.`),
    );
}

function receiversOf(route: unknown): ReadonlySet<string> {
  const read = routeShape.safeParse(route).data;
  if (read === undefined) return new Set();
  return new Set([
    ...(read.receiver === undefined ? [] : [read.receiver]),
    ...(read.routes ?? []).flatMap((child) => [...receiversOf(child)]),
  ]);
}
