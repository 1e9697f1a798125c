import type { NotificationDelivery } from "../../core/notification-target.ts";
import type { BoundedAnswer } from "./bounded-request.ts";

/** Statuses below 500 that may get better by themselves. */
const patient = new Set([408, 425, 429]);

/**
 * What an answer says about a notification: 2xx took it, 408, 425, 429, 5xx and a broken connection want another try, anything else is final.
 * `reasonOf` picks a word of the receiver that is safe to show; the rest of its answer may repeat what it was sent.
 */
export function deliveryOfAnswer(
  receiver: string,
  answer: BoundedAnswer,
  reasonOf: (body: string) => string | undefined,
): NotificationDelivery {
  if (answer.kind === "failed") return { kind: "failed", retry: true, error: `${receiver}: ${answer.failure.message}` };
  const { status } = answer;
  if (status >= 200 && status <= 299) return { kind: "sent" };
  const reason = reasonOf(answer.body);
  return {
    kind: "failed",
    retry: status >= 500 || patient.has(status),
    error: `${receiver} answered ${status}${reason === undefined ? "" : ` (${reason})`}`,
    ...(answer.retryAfterMs !== undefined && { retryAfterMs: answer.retryAfterMs }),
  };
}
