import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { startPagerDutyReceiver } from "../../../test/servers/notification-receivers.ts";
import { aNotification, aPagerDutyTarget, routingKey } from "../../../test/servers/notification-targets.ts";
import { createSystemClock } from "../../core/clock.ts";
import { type BoundedSender, createBoundedSender, defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import { createPagerDutyNotifier } from "./create-pagerduty-notifier.ts";

let pagerDuty: Awaited<ReturnType<typeof startPagerDutyReceiver>>;
let sender: BoundedSender;

beforeEach(async () => {
  pagerDuty = await startPagerDutyReceiver();
  sender = createBoundedSender(defaultRequestLimits, { clock: createSystemClock() });
});

afterEach(async () => {
  await sender.close();
  await pagerDuty[Symbol.asyncDispose]();
});

const send = async (change: Parameters<typeof aNotification>[0] = {}, target = aPagerDutyTarget(pagerDuty.url)) =>
  createPagerDutyNotifier(sender).send(target, aNotification(change));

it("triggers one incident, however often it is delivered", async () => {
  expect([await send(), await send()]).toEqual([{ kind: "sent" }, { kind: "sent" }]);
  expect([...pagerDuty.incidents]).toEqual(["question:q_1/slack/ops"]);
  expect(pagerDuty.received[0]?.body).toEqual({
    routing_key: routingKey,
    event_action: "trigger",
    dedup_key: "question:q_1/slack/ops",
    payload: {
      summary: "runbookd needs an answer",
      source: "runbookd",
      severity: "critical",
      timestamp: "2026-01-05T12:00:00.000Z",
      custom_details: { run_id: "run_1", group: "oncall", text: "Resume?\nYes or no." },
    },
  });
});

it("leads to the step of the run", async () => {
  await send({ page: "https://runbookd.example/runs/run_1#step-2" });
  expect(pagerDuty.received[0]?.body).toMatchObject({
    links: [{ href: "https://runbookd.example/runs/run_1#step-2", text: "The run, step by step" }],
  });
});

it("stays inside PagerDuty's limits", async () => {
  expect(await send({ subject: "s".repeat(5000), text: "t".repeat(600_000), key: "k".repeat(400) })).toEqual({ kind: "sent" });
  expect([...pagerDuty.incidents][0]).toHaveLength(255);
  expect(JSON.stringify(pagerDuty.received[0]?.body).length).toBeLessThan(10_000);
});

it("gives up what PagerDuty calls invalid, with its word and without the key", async () => {
  const wrong = { ...aPagerDutyTarget(pagerDuty.url), routingKey: "short" };
  expect(await send({}, wrong)).toEqual({ kind: "failed", retry: false, error: "pagerduty primary answered 400 (invalid event)" });
  pagerDuty.answerWith({ status: 403, body: `{"status":"${routingKey} is wrong!"}` });
  expect(await send()).toEqual({ kind: "failed", retry: false, error: "pagerduty primary answered 403" });
});

it("tries again when it is throttled or broken", async () => {
  pagerDuty.answerWith({ status: 429, body: '{"status":"throttle exceeded"}' });
  expect(await send()).toEqual({ kind: "failed", retry: true, error: "pagerduty primary answered 429 (throttle exceeded)" });
  pagerDuty.answerWith({ status: 503, body: "<html>" });
  expect(await send()).toEqual({ kind: "failed", retry: true, error: "pagerduty primary answered 503" });
});
