import { type NotificationTarget, targetIdOf } from "../core/notification-target.ts";
import type { Recipients } from "./recipients.ts";

/** The address book from configuration. `default` is the group of a step that names none; Message-IDs get the domain of the sender. */
export function createRecipients(mail: {
  readonly groups: { readonly [group: string]: readonly string[] };
  readonly targets?: { readonly [group: string]: readonly NotificationTarget[] };
  readonly from: string | undefined;
}): Recipients {
  const groups = new Map(Object.entries(mail.groups));
  const targets = new Map(Object.entries(mail.targets ?? {}));
  const targetsOf = (group: string) => targets.get(group) ?? [];
  return {
    addresses: (group) => groups.get(group),
    targets: (group) => targetsOf(group).map(targetIdOf),
    target: (group, id) => targetsOf(group).find((target) => targetIdOf(target) === id),
    defaultGroup: "default",
    domain: mail.from?.split("@").at(-1) ?? "runbookd.invalid",
  };
}
