import type { Clock } from "../core/clock.ts";
import type { Outbox } from "../core/outbox.ts";
import { putForGroup, rowsForGroup } from "../notifications/put-for-group.ts";
import type { Recipients } from "../notifications/recipients.ts";
import { hasRecipients } from "../notifications/require-group.ts";
import type { EngineDeps } from "../runs/engine/engine-deps.ts";
import { questionMail } from "./question-mail.ts";

/** The mail group that hears of questions which nobody has answered at half of their time; without it they go to `default` again. */
export const escalationGroup = "escalation";

/** How often people hear of a question that stands for many runs. */
const groupEveryMs = 30 * 60_000;

/** What an announcement is made of. */
export interface AnnounceDeps {
  readonly outbox: Pick<Outbox, "put" | "find">;
  readonly recipients: Recipients;
  readonly clock: Pick<Clock, "now">;
}

/** Mails a question, once, and once more when it is escalated. */
export function createAnnouncer({ outbox, recipients, clock }: AnnounceDeps): EngineDeps["announce"] {
  return async (question, runbook, escalated) => {
    // What is asked as one question is told once in a while, not once for each run that waits for it.
    const about = question.group === undefined ? question.id : `${question.group}:${Math.floor(question.askedAt / groupEveryMs)}`;
    const key = `question:${about}${escalated ? ":escalated" : ""}`;
    const to = escalated && hasRecipients(recipients, escalationGroup) ? escalationGroup : recipients.defaultGroup;
    const row = { key, to, content: questionMail(question, runbook, escalated), putAt: clock.now() };
    const [first] = rowsForGroup(recipients, row);
    if (first === undefined || (await outbox.find(first.key)) !== undefined) return;
    await putForGroup(outbox, recipients, row);
  };
}
