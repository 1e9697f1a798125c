import type { Recipients } from "./ports.ts";

/** The address book from configuration. `default` is the group of whoever names none; Message-IDs get the domain of the sender. */
export function createRecipients(mail: {
  readonly groups: { readonly [group: string]: readonly string[] };
  readonly from: string | undefined;
}): Recipients {
  const groups = new Map(Object.entries(mail.groups));
  return {
    addresses: (group) => groups.get(group),
    defaultGroup: "default",
    domain: mail.from?.split("@").at(-1) ?? "runbookd.invalid",
  };
}
