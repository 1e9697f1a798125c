import type { Redis } from "ioredis";
import { createAnnouncer } from "../../src/approvals/announce-question.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { Log } from "../../src/core/log.ts";
import { mailLane, type Outbox } from "../../src/core/outbox.ts";
import type { StoreGate } from "../../src/core/store-gate.ts";
import { createSmtpSender } from "../../src/integrations/smtp/create-smtp-sender.ts";
import { createWebhookNotifier } from "../../src/integrations/webhook/create-webhook-notifier.ts";
import { createRecipients } from "../../src/notifications/create-recipients.ts";
import { type DeliveryLimits, startReportWorker } from "../../src/notifications/jobs.ts";
import { createOutbox } from "../../src/notifications/redis-store.ts";
import { createBoundedSender, defaultRequestLimits } from "../../src/platform/requests/bounded-request.ts";
import type { EngineDeps } from "../../src/runs/engine/engine-deps.ts";

/** Where people are told of questions: by mail and at a webhook. */
export interface NotifyOptions {
  readonly smtpUrl: string;
  readonly hookUrl: string;
  readonly limits: DeliveryLimits;
  /** One notification after the other, whatever its lane is, to prove that lanes are missed. */
  readonly oneLane: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly drain: AbortSignal;
  readonly store: Pick<StoreGate, "isFit">;
}

/** Announces questions through the product's outbox, with waits short enough for a test. */
export function notifyByMail(redis: Redis, options: NotifyOptions): EngineDeps["announce"] {
  const { smtpUrl, hookUrl, limits, clock, log, drain, store } = options;
  const from = "runbookd@example.org";
  const outbox = createOutbox(redis);
  const recipients = createRecipients({
    groups: { default: ["ann@example.org"] },
    targets: { default: [{ kind: "webhook", name: "desk", url: hookUrl, headers: {} }] },
    from,
  });
  const webhook = createWebhookNotifier(createBoundedSender(defaultRequestLimits, { clock }));
  const unused = { send: async () => ({ kind: "failed", retry: false, error: "not configured" }) as const };
  startReportWorker(
    {
      outbox: options.oneLane ? inOneLane(outbox) : outbox,
      sender: createSmtpSender({ url: smtpUrl, from }),
      notifiers: { webhook, slack: unused, pagerduty: unused },
      composer: {
        compose: async ({ content }) =>
          content.kind === "message"
            ? { kind: "mail", subject: content.subject, text: content.text }
            : { kind: "gone", reason: "only questions are told" },
      },
      recipients,
      clock,
      log,
    },
    { everyMs: 200, drain, store, limits, timeouts: { firstMs: 500, maxMs: 2000, giveUpAfterMs: 600_000 } },
  );
  return createAnnouncer({ outbox, recipients, clock });
}

function inOneLane(outbox: Outbox): Outbox {
  return {
    ...outbox,
    lanes: async () => [mailLane],
    async claim(_lane, now, leaseMs) {
      for (const lane of await outbox.lanes()) {
        const claimed = await outbox.claim(lane, now, leaseMs);
        if (claimed !== undefined) return claimed;
      }
      return undefined;
    },
  };
}
