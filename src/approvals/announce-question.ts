import type { Clock } from "../core/clock.ts";
import type { MailContent, Outbox } from "../core/outbox.ts";
import { putForGroup, rowsForGroup } from "../notifications/put-for-group.ts";
import type { Recipients } from "../notifications/recipients.ts";
import { hasRecipients } from "../notifications/require-group.ts";
import type { EngineDeps } from "../runs/engine/engine-deps.ts";
import { questionMail } from "./question-mail.ts";
import type { QuestionLinks } from "./redis-question-links.ts";

/** The mail group that hears of questions which nobody has answered at half of their time; without it they go to `default` again. */
export const escalationGroup = "escalation";

/** How often people hear of a question that stands for many runs. */
const groupEveryMs = 30 * 60_000;

/** What an announcement is made of. `token` makes 256 random bits as text. */
export interface AnnounceDeps {
  readonly outbox: Pick<Outbox, "put" | "find">;
  readonly links: Pick<QuestionLinks, "add">;
  readonly recipients: Recipients;
  readonly publicUrl: string | undefined;
  readonly clock: Pick<Clock, "now">;
  readonly token: () => string;
}

/** Mails a question, once, and once more when it is escalated; each mail has a link with a token of its own, of which only a hash is kept. */
export function createAnnouncer({ outbox, links, recipients, publicUrl, clock, token }: AnnounceDeps): EngineDeps["announce"] {
  return async (question, runbook, escalated) => {
    // What is asked as one question is told once in a while, not once for each run that waits for it.
    const about = question.group === undefined ? question.id : `${question.group}:${Math.floor(question.askedAt / groupEveryMs)}`;
    const key = `question:${about}${escalated ? ":escalated" : ""}`;
    const to = escalated && hasRecipients(recipients, escalationGroup) ? escalationGroup : recipients.defaultGroup;
    const rowOf = (content: MailContent) => ({ key, to, content, putAt: clock.now() });
    const [first] = rowsForGroup(recipients, rowOf(questionMail(question, runbook, { publicUrl, linkToken: "", escalated })));
    if (first === undefined || (await outbox.find(first.key)) !== undefined) return;
    const linkToken = token();
    if (publicUrl !== undefined && question.group === undefined) await links.add(question, linkToken);
    await putForGroup(outbox, recipients, rowOf(questionMail(question, runbook, { publicUrl, linkToken, escalated })));
  };
}
