import { z } from "zod";
import type { Notifier, PagerDutyTarget } from "../../core/notification-target.ts";
import type { BoundedSender } from "../../platform/requests/bounded-request.ts";
import { deliveryOfAnswer } from "../../platform/requests/delivery-of-answer.ts";

const maxSummary = 1024;
const maxText = 8000;
const maxKey = 255;

const refusalSchema = z.object({ status: z.string().regex(/^[a-z ]{1,40}$/) });

/** Triggers one event; the same key never opens a second incident. https://developer.pagerduty.com/docs/events-api-v2-overview */
export function createPagerDutyNotifier(sender: BoundedSender): Notifier<PagerDutyTarget> {
  return {
    async send({ name, url, routingKey, severity }, { key, subject, text, runId, page, group, putAt }) {
      const event = {
        routing_key: routingKey,
        event_action: "trigger",
        dedup_key: key.slice(0, maxKey),
        payload: {
          summary: subject.slice(0, maxSummary),
          source: "runbookd",
          severity,
          timestamp: new Date(putAt).toISOString(),
          custom_details: { run_id: runId, group, text: text.slice(0, maxText) },
        },
        ...(page !== undefined && { links: [{ href: page, text: "The run, step by step" }] }),
      };
      const answer = await sender.send({
        method: "POST",
        url,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(event),
        signal: new AbortController().signal,
      });
      return deliveryOfAnswer(`pagerduty ${name}`, answer, refusalOf);
    },
  };
}

/** `status` of a refusal, e.g. "invalid event"; its message may repeat what was sent. */
function refusalOf(body: string): string | undefined {
  try {
    return refusalSchema.safeParse(JSON.parse(body)).data?.status;
  } catch {
    return undefined;
  }
}
