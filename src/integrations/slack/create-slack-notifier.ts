import type { Notifier, SlackTarget } from "../../core/notification-target.ts";
import type { BoundedSender } from "../../platform/requests/bounded-request.ts";
import { deliveryOfAnswer } from "../../platform/requests/delivery-of-answer.ts";

/** Slack advises 4,000 characters; escapes make it longer. */
const maxText = 3000;

/** Posts one message to an incoming webhook. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/ */
export function createSlackNotifier(sender: BoundedSender): Notifier<SlackTarget> {
  return {
    async send({ name, url }, { subject, text, runId, page }) {
      const more = text.length > maxText ? `\n… (run ${runId} has the rest${page === undefined ? "" : `: ${page}`})` : "";
      const message = {
        text: slackText(`${subject}\n\n${text.slice(0, maxText)}${more}`),
        // A label is no markup, and no address in it is looked up.
        mrkdwn: false,
        unfurl_links: false,
        unfurl_media: false,
      };
      const answer = await sender.send({
        method: "POST",
        url,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(message),
        signal: new AbortController().signal,
      });
      // Slack answers with one word such as invalid_payload or channel_is_archived.
      return deliveryOfAnswer(`slack ${name}`, answer, (body) => /^[a-z_]{1,40}$/.exec(body.trim())?.[0]);
    },
  };
}

/** Text without markup: no link, and nobody is called by name (`<!channel>`; compatible servers also read a bare `@channel`). */
export function slackText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/@(?=channel|here|everyone|all)/gi, "@\u2060");
}
