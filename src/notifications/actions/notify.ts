import { z } from "zod";
import { defineAction } from "../../actions/define-action.ts";
import { groupParameter } from "../../actions/parameter-types.ts";
import { shortLine } from "../../core/one-line.ts";
import { messageIdOf, type Outbox } from "../../core/outbox.ts";
import { putForGroup } from "../put-for-group.ts";
import type { Recipients } from "../recipients.ts";
import { requireGroup } from "../require-group.ts";

/** Tells a group through the outbox; it is sent in the background and never holds the run up. */
export const notify = defineAction({
  name: "notify",
  summary: "Tells a configured group a short text: by mail, webhook, Slack or PagerDuty, as the group says.",
  parameters: z.strictObject({
    to: groupParameter().optional(),
    subject: z.string().min(1).meta({ description: "One line, at most 200 characters are kept." }),
    text: z.string().min(1).max(20_000).meta({ description: "Plain text." }),
  }),
  result: {
    message_id: "Message-ID of the mail; absent when the group has no address",
    to: "group",
    told: "who is told: mail and other targets",
  },
  effect: "keyed",
  risk: "none",
  timeoutMs: 10_000,
  probes: false,
  undoes: false,
  behave(parameters, { outbox, recipients }: { readonly outbox: Pick<Outbox, "put">; readonly recipients: Recipients }) {
    const to = parameters.to ?? recipients.defaultGroup;
    const subject = shortLine(parameters.subject, 200);
    return {
      async plan() {
        requireGroup(recipients, to);
        return {
          summary: `Tell ${to} "${subject}"`,
          targets: [`mail/${to}`],
          changes: [],
          reversible: false,
          data: { to, subject, text: parameters.text },
        };
      },
      async run(_plan, { idempotencyKey, runId, clock }) {
        const content = { kind: "message", runId, subject, text: parameters.text } as const;
        const reached = await putForGroup(outbox, recipients, { key: idempotencyKey, to, content, putAt: clock.now() });
        const mailed = reached.includes("mail") && { message_id: messageIdOf(idempotencyKey, recipients.domain) };
        return { kind: "done", output: { ...mailed, to, told: reached } };
      },
    };
  },
});
