import { z } from "zod";
import { defineAction } from "../../actions/define-action.ts";
import { groupParameter } from "../../actions/parameter-types.ts";
import { sha256 } from "../../core/json.ts";
import { messageIdOf, type Outbox } from "../../core/outbox.ts";
import { putForGroup } from "../put-for-group.ts";
import type { Recipients } from "../recipients.ts";
import { hasRecipients, requireGroup } from "../require-group.ts";

/** Asks for the post-incident review of this run. It is composed when it is sent, after the run has ended, so that the verification is in it. */
export const sendReport = defineAction({
  name: "send-report",
  summary: "Mails the post-incident review of this run to a configured group, once the run has ended.",
  parameters: z.strictObject({ to: groupParameter().optional() }),
  result: {
    mailed: "false when nobody is told: the review can be read all the same",
    message_id: "Message-ID of the mail; absent when the group has no address",
    to: "group",
    told: "who is told: mail and other targets, but not PagerDuty",
  },
  effect: "keyed",
  risk: "none",
  timeoutMs: 10_000,
  probes: false,
  undoes: false,
  behave(parameters, { outbox, recipients }: { readonly outbox: Pick<Outbox, "put">; readonly recipients: Recipients }) {
    const to = parameters.to ?? recipients.defaultGroup;
    const hasNoRecipients = parameters.to === undefined && !hasRecipients(recipients, to);
    return {
      async plan({ runId }) {
        if (hasNoRecipients) {
          const summary = "Keep the review of this run; no mail is configured";
          return { summary, targets: [`review/${runId}`], changes: [], reversible: false, data: null };
        }
        requireGroup(recipients, to);
        return { summary: `Mail the review of this run to ${to}`, targets: [`mail/${to}`], changes: [], reversible: false, data: { to } };
      },
      async run(_plan, { runId, stepId, clock }) {
        if (hasNoRecipients) return { kind: "done", output: { mailed: false } };
        // Not the attempt's key: a second attempt of the step must not put a second review.
        const key = sha256(`review:${runId}:${stepId}`);
        const reached = await putForGroup(outbox, recipients, { key, to, content: { kind: "review", runId }, putAt: clock.now() });
        const mailed = reached.includes("mail") && { message_id: messageIdOf(key, recipients.domain) };
        return { kind: "done", output: { mailed: reached.length > 0, ...mailed, to, told: reached } };
      },
    };
  },
});
