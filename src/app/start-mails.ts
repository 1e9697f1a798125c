import type { Redis } from "ioredis";
import { createQuestionLinks } from "../approvals/redis-question-links.ts";
import { createQuestionReader } from "../approvals/redis-store.ts";
import { withAnswerLinks } from "../approvals/with-answer-links.ts";
import { withGroupPlans } from "../approvals/with-group-plans.ts";
import type { MailSender, Outbox } from "../core/outbox.ts";
import { createPagerDutyNotifier } from "../integrations/pagerduty/create-pagerduty-notifier.ts";
import { createSlackNotifier } from "../integrations/slack/create-slack-notifier.ts";
import { createSmtpSender } from "../integrations/smtp/create-smtp-sender.ts";
import { createWebhookNotifier } from "../integrations/webhook/create-webhook-notifier.ts";
import { createRecipients } from "../notifications/create-recipients.ts";
import { defaultTimeouts, type MailTimeouts, startReportWorker } from "../notifications/jobs.ts";
import { observeOutbox } from "../notifications/metrics.ts";
import { createBoundedSender, defaultRequestLimits } from "../platform/requests/bounded-request.ts";
import { createComposer } from "../reports/create-composer.ts";
import { withoutSecrets } from "../reports/without-secrets.ts";
import { createRunReader } from "../runs/redis-run-reader.ts";
import { actionCatalogue } from "./action-registry.ts";
import type { Runtime } from "./runtime.ts";

const mailEveryMs = 500;

/** What is told leaves in the background; mails only when a mail server is configured, and until then they wait in the outbox. */
export function startMails(runtime: Runtime, redis: Redis, outbox: Outbox): void {
  const { config, clock, log, metrics, closers, random, redaction } = runtime;
  observeOutbox(metrics, { outbox, clock });
  const sender = openMail(runtime);
  const http = createBoundedSender(defaultRequestLimits, { clock });
  closers.add("notification connections", async () => http.close());
  const notifiers = { webhook: createWebhookNotifier(http), slack: createSlackNotifier(http), pagerduty: createPagerDutyNotifier(http) };
  const runs = createRunReader(redis, clock);
  const { publicUrl } = config;
  const written = createComposer({ runs, budgets: runtime.ledger, catalogue: actionCatalogue, publicUrl });
  const redacted = withoutSecrets(withGroupPlans(written, createQuestionReader(redis, clock)), (text) => redaction.apply(text));
  const links = createQuestionLinks(redis, () => clock.now());
  const composer = withAnswerLinks(redacted, { links, publicUrl, token: () => random.token() });
  const mails = startReportWorker(
    { outbox, sender, notifiers, composer, recipients: createRecipients(config.mail), clock, log },
    { everyMs: mailEveryMs, drain: runtime.ending.signal, store: runtime.store, timeouts: dividedTimeouts(config.timeFactor) },
  );
  closers.add("mails", async () => mails.close());
}

function openMail({ config, closers }: Runtime): MailSender | undefined {
  const { smtpUrl, from } = config.mail;
  if (smtpUrl === undefined || from === undefined) return undefined;
  const sender = createSmtpSender({ url: smtpUrl, from });
  closers.add("smtp connections", () => sender.close());
  return sender;
}

function dividedTimeouts(factor: number): MailTimeouts {
  const { firstMs, maxMs, giveUpAfterMs } = defaultTimeouts;
  return { firstMs: firstMs / factor, maxMs: maxMs / factor, giveUpAfterMs };
}
