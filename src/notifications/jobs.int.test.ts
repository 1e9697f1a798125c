import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { aCostRun } from "../../test/builders/a-cost-run.ts";
import { aBudgetState, createFakeBudgetControl } from "../../test/fakes/fake-budget-control.ts";
import { createRecordedLog } from "../../test/fakes/recorded-log.ts";
import { scriptedNotifiers } from "../../test/fakes/scripted-notifiers.ts";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { startPagerDutyReceiver, startSlackReceiver, startWebhookReceiver } from "../../test/servers/notification-receivers.ts";
import { aPagerDutyTarget, aSlackTarget, aWebhookTarget } from "../../test/servers/notification-targets.ts";
import { type SmtpSink, startSmtpSink } from "../../test/servers/smtp-sink.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import { createSystemClock } from "../core/clock.ts";
import { createPagerDutyNotifier } from "../integrations/pagerduty/create-pagerduty-notifier.ts";
import { createSlackNotifier } from "../integrations/slack/create-slack-notifier.ts";
import { createSmtpSender } from "../integrations/smtp/create-smtp-sender.ts";
import { createWebhookNotifier } from "../integrations/webhook/create-webhook-notifier.ts";
import { createBoundedSender, defaultRequestLimits } from "../platform/requests/bounded-request.ts";
import { createComposer } from "../reports/create-composer.ts";
import { withoutSecrets } from "../reports/without-secrets.ts";
import { createRecipients } from "./create-recipients.ts";
import { startReportWorker } from "./jobs.ts";
import { putForGroup, rowsForGroup } from "./put-for-group.ts";
import { createOutbox } from "./redis-store.ts";

const held = holdRedis();
let sink: SmtpSink;

beforeAll(async () => {
  sink = await startSmtpSink();
});

afterAll(async () => {
  await sink[Symbol.asyncDispose]();
});

it("mails the review of a run, once, after a mail server that was away has come back", async () => {
  const clock = createSystemClock();
  const outbox = createOutbox(held.redis);
  const run = aCostRun();
  const told: string[] = [];
  const worker = startReportWorker(
    {
      outbox,
      notifiers: scriptedNotifiers(),
      sender: createSmtpSender({ url: sink.url, from: "runbookd@example.org" }),
      composer: createComposer({
        runs: { get: async () => run },
        budgets: createFakeBudgetControl(aBudgetState("checkout")),
        catalogue: actionCatalogue,
      }),
      recipients: createRecipients({ groups: { default: ["team@example.org"] }, from: "runbookd@example.org" }),
      clock,
      log: createRecordedLog(({ message }) => told.push(message)),
    },
    { everyMs: 20, drain: new AbortController().signal, timeouts: { firstMs: 50, maxMs: 100, giveUpAfterMs: 60_000 } },
  );
  sink.refuse(451);
  const row = { key: "review:run_01JH", to: "default", content: { kind: "review", runId: "run_01JH" }, putAt: clock.now() } as const;
  await outbox.put(row);
  while (told.length < 2) await clock.sleep(10);
  sink.refuse(undefined);
  const [mail] = await sink.received(1);
  await outbox.put(row);
  await worker.close();
  expect(mail).toMatchObject({
    subject: "Review: cost-incident-response, budget/checkout: succeeded",
    from: { text: '"runbookd" <runbookd@example.org>' },
  });
  expect(mail?.text).toContain("Outcome: succeeded.");
  expect(mail?.html).toContain("<svg");
  const prices =
    "anthropic/claude-sonnet-4-5 since 2026-01-01: https://prices.example/claude, September 2026; openai/gpt-4o since 2024-10-01:";
  expect(mail?.text).toContain(`price sources: ${prices}`);
  expect(mail?.html).toContain(prices);
  expect(sink.mails).toHaveLength(1);
  expect(await outbox.find(row.key)).toMatchObject({ state: "sent", messageId: mail?.messageId });
  expect(await outbox.status()).toEqual({ waiting: 0, gaveUp: 0 });
});

it("tells each target of a group by itself: one that is away holds up no other, and none is told twice", async () => {
  const clock = createSystemClock();
  const outbox = createOutbox(held.redis);
  await using slack = await startSlackReceiver();
  await using hook = await startWebhookReceiver();
  await using pagerDuty = await startPagerDutyReceiver();
  const recipients = createRecipients({
    groups: { oncall: ["team@example.org"] },
    targets: { oncall: [aSlackTarget(slack.url), aWebhookTarget(hook.url), aPagerDutyTarget(pagerDuty.url)] },
    from: "runbookd@example.org",
  });
  const http = createBoundedSender(defaultRequestLimits, { clock: createSystemClock() });
  const secret = "s3cret-of-a-target";
  const mailsBefore = sink.mails.length;
  slack.answerWith({ status: 503, body: "rollup_error" });
  const worker = startReportWorker(
    {
      outbox,
      notifiers: { webhook: createWebhookNotifier(http), slack: createSlackNotifier(http), pagerduty: createPagerDutyNotifier(http) },
      sender: createSmtpSender({ url: sink.url, from: "runbookd@example.org" }),
      composer: withoutSecrets(
        createComposer({
          runs: { get: async () => undefined },
          budgets: createFakeBudgetControl(aBudgetState("checkout")),
          catalogue: actionCatalogue,
        }),
        (text) => text.replaceAll(secret, "[secret]"),
      ),
      recipients,
      clock,
      log: createRecordedLog(({ message }) => void (message.includes("could not be sent") && slack.answerWith(undefined))),
    },
    { everyMs: 20, drain: new AbortController().signal, timeouts: { firstMs: 50, maxMs: 100, giveUpAfterMs: 60_000 } },
  );
  const row = {
    key: "told-once",
    to: "oncall",
    content: { kind: "message", runId: "run-1", subject: "Ask", text: `<b>Resume?</b> ${secret}` } as const,
    putAt: clock.now(),
  };
  expect(await putForGroup(outbox, recipients, row)).toEqual(["mail", "slack/ops", "webhook/hub", "pagerduty/primary"]);
  await putForGroup(outbox, recipients, row);
  const keys = rowsForGroup(recipients, row).map(({ key }) => key);
  const settled = async () => (await Promise.all(keys.map(async (key) => outbox.find(key)))).every((state) => state?.state === "sent");
  while (!(await settled())) await clock.sleep(20);
  await worker.close();
  await http.close();
  expect(sink.mails.slice(mailsBefore).map(({ subject, text }) => [subject, text?.trim()])).toEqual([["Ask", "<b>Resume?</b> [secret]"]]);
  expect(slack.received.map(({ body }) => body)).toEqual([expect.objectContaining({ text: "Ask\n\n&lt;b&gt;Resume?&lt;/b&gt; [secret]" })]);
  expect(hook.received.map(({ headers }) => headers["idempotency-key"])).toEqual(["told-once/webhook/hub"]);
  expect([...pagerDuty.incidents]).toEqual(["told-once/pagerduty/primary"]);
  const stored = await Promise.all(
    (await held.redis.keys("{rb}:outbox:row:*")).map(async (name) => JSON.stringify(await held.redis.hgetall(name))),
  );
  expect(stored.join("\n")).not.toMatch(/hub-token|0123456789abcdef0123|services\/T0/);
});
