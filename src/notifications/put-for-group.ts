import type { Outbox, OutboxRow } from "../core/outbox.ts";
import type { Recipients } from "./recipients.ts";

/**
 * What a group is told, as rows: one for its mail addresses and one for each other target, so that each has its own retries. The keys follow
 * from the row's. A review pages nobody: it is not for PagerDuty. Empty when the group reaches no one.
 */
export function rowsForGroup(recipients: Recipients, row: Omit<OutboxRow, "target">): readonly OutboxRow[] {
  const mail = (recipients.addresses(row.to) ?? []).length > 0 ? [row] : [];
  const targets = recipients.targets(row.to).filter((target) => row.content.kind !== "review" || !target.startsWith("pagerduty/"));
  return [...mail, ...targets.map((target) => ({ ...row, key: `${row.key}/${target}`, target }))];
}

/** Puts them all; safe to repeat. Answers who is told, e.g. `["mail", "slack/ops"]`. */
export async function putForGroup(
  outbox: Pick<Outbox, "put">,
  recipients: Recipients,
  row: Omit<OutboxRow, "target">,
): Promise<readonly string[]> {
  const rows = rowsForGroup(recipients, row);
  for (const one of rows) await outbox.put(one);
  return rows.map(({ target }) => target ?? "mail");
}
