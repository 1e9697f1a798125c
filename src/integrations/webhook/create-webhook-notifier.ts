import type { Notifier, WebhookTarget } from "../../core/notification-target.ts";
import type { BoundedSender } from "../../platform/requests/bounded-request.ts";
import { deliveryOfAnswer } from "../../platform/requests/delivery-of-answer.ts";

const maxText = 100_000;

/** Posts JSON: `{version, id, about, group, run_id, page, subject, text, put_at}`. `Idempotency-Key` and `id` are the same for every delivery. */
export function createWebhookNotifier(sender: BoundedSender): Notifier<WebhookTarget> {
  return {
    async send({ name, url, headers }, { key, about, group, runId, page, subject, text, putAt }) {
      const body = {
        version: "1",
        id: key,
        about,
        group,
        run_id: runId,
        ...(page !== undefined && { page }),
        subject,
        text: text.slice(0, maxText),
        put_at: new Date(putAt).toISOString(),
      };
      const answer = await sender.send({
        method: "POST",
        url,
        headers: { ...headers, "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(body),
        signal: new AbortController().signal,
      });
      return deliveryOfAnswer(`webhook ${name}`, answer, () => undefined);
    },
  };
}
