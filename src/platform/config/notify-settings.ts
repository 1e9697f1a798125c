import { z } from "zod";
import { type NotificationTarget, targetIdOf } from "../../core/notification-target.ts";
import { mailAddress } from "./mail-address.ts";

const targetName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "must be a target's name");
const file = z.string().min(1).max(4096);
const url = z.string().refine((text) => isTargetUrl(text), "must be an http(s) address without credentials");
const place = { name: targetName, url: url.optional(), url_file: file.optional() };
const oneUrl = (target: { readonly url?: string | undefined; readonly url_file?: string | undefined }) =>
  (target.url === undefined) !== (target.url_file === undefined);
const eventsUrl = "https://events.pagerduty.com/v2/enqueue";

const groupSchema = z
  .strictObject({
    mail: z.array(mailAddress).min(1, "is empty: empty never means all").max(50).optional(),
    webhooks: z
      .array(
        z
          .strictObject({
            ...place,
            headers: z.record(z.string().regex(/^[A-Za-z0-9-]{1,100}$/, "must be a header name"), z.string().max(4096)).optional(),
            bearer_token_file: file.optional(),
          })
          .refine(oneUrl, "needs url or url_file, and not both"),
      )
      .max(10)
      .default([]),
    slack: z.array(z.strictObject(place).refine(oneUrl, "needs url or url_file, and not both")).max(10).default([]),
    pagerduty: z
      .array(
        z.strictObject({
          name: targetName,
          routing_key_file: file,
          severity: z.enum(["critical", "error", "warning", "info"]).default("error"),
          url: url.default(eventsUrl),
        }),
      )
      .max(10)
      .default([]),
  })
  .refine(
    ({ mail = [], webhooks, slack, pagerduty }) => mail.length + webhooks.length + slack.length + pagerduty.length > 0,
    "reaches nobody",
  )
  .refine(
    ({ webhooks, slack, pagerduty }) =>
      [webhooks, slack, pagerduty].every((list) => new Set(list.map(({ name }) => name)).size === list.length),
    "has two targets of one kind and name",
  );

/** `notify_groups` of runbookd.yml: who is told, beside and beyond mail. */
export const notifyGroupsSchema = z.record(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "must be a group name"), groupSchema);

/** Whether a notification may be sent there. What a person reads must be what is sent. */
export function isTargetUrl(text: string): boolean {
  if (text.length > 2000 || /[\\\s\p{Cc}]/u.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return (protocol === "http:" || protocol === "https:") && username === "" && password === "" && hash === "";
}

/** Reads the file of a secret for a target; undefined after it told of a fault. */
export type ReadSecret = (at: string, path: string, accepted: (text: string) => boolean) => string | undefined;

/** The targets of a proven group, with their secrets; a target whose secret could not be read is left out. */
export function targetsOfGroup(group: string, settings: z.output<typeof groupSchema>, read: ReadSecret): readonly NotificationTarget[] {
  const urlOf = (id: string, target: { readonly url?: string | undefined; readonly url_file?: string | undefined }) =>
    target.url ?? (target.url_file === undefined ? undefined : read(`${group}.${id}.url_file`, target.url_file, isTargetUrl));
  const webhooks = settings.webhooks.flatMap((target): NotificationTarget[] => {
    const id = targetIdOf({ kind: "webhook", name: target.name });
    const path = target.bearer_token_file;
    const token = path === undefined ? "" : read(`${group}.${id}.bearer_token_file`, path, (text) => /^[\x21-\x7e]+$/.test(text));
    const at = urlOf(id, target);
    if (at === undefined || token === undefined) return [];
    return [
      {
        kind: "webhook",
        name: target.name,
        url: at,
        headers: { ...target.headers, ...(token !== "" && { authorization: `Bearer ${token}` }) },
      },
    ];
  });
  const slack = settings.slack.flatMap((target): NotificationTarget[] => {
    const at = urlOf(targetIdOf({ kind: "slack", name: target.name }), target);
    return at === undefined ? [] : [{ kind: "slack", name: target.name, url: at }];
  });
  const pagerduty = settings.pagerduty.flatMap(({ name, routing_key_file: path, severity, url: at }): NotificationTarget[] => {
    const routingKey = read(`${group}.${targetIdOf({ kind: "pagerduty", name })}.routing_key_file`, path, (text) =>
      /^[A-Za-z0-9]{20,64}$/.test(text),
    );
    return routingKey === undefined ? [] : [{ kind: "pagerduty", name, url: at, routingKey, severity }];
  });
  return [...webhooks, ...slack, ...pagerduty];
}

/** What of a target may not be shown. */
export function secretsOfTarget(target: NotificationTarget): readonly string[] {
  if (target.kind === "pagerduty") return [target.routingKey];
  const headers = target.kind === "webhook" ? Object.values(target.headers) : [];
  return [target.url, ...headers, ...headers.map((value) => value.replace(/^Bearer /, ""))];
}
