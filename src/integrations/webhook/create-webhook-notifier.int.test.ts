import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { type NotificationReceiver, startWebhookReceiver } from "../../../test/servers/notification-receivers.ts";
import { aNotification, aWebhookTarget } from "../../../test/servers/notification-targets.ts";
import { createSystemClock } from "../../core/clock.ts";
import { type BoundedSender, createBoundedSender, defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import { createWebhookNotifier } from "./create-webhook-notifier.ts";

let hook: NotificationReceiver;
let sender: BoundedSender;

beforeEach(async () => {
  hook = await startWebhookReceiver();
  sender = createBoundedSender(defaultRequestLimits, { clock: createSystemClock() });
});

afterEach(async () => {
  await sender.close();
  await hook[Symbol.asyncDispose]();
});

const send = async (change: Parameters<typeof aNotification>[0] = {}) =>
  createWebhookNotifier(sender).send(aWebhookTarget(hook.url), aNotification(change));

it("posts the same JSON under the same key at every delivery", async () => {
  expect([await send(), await send()]).toEqual([{ kind: "sent" }, { kind: "sent" }]);
  const [first, second] = hook.received;
  expect(first?.body).toEqual({
    version: "1",
    id: "question:q_1/slack/ops",
    about: "message",
    group: "oncall",
    run_id: "run_1",
    subject: "runbookd needs an answer",
    text: "Resume?\nYes or no.",
    put_at: "2026-01-05T12:00:00.000Z",
  });
  expect(second?.body).toEqual(first?.body);
  expect(hook.received.map(({ headers }) => [headers["idempotency-key"], headers.authorization, headers["content-type"]])).toEqual(
    Array.from({ length: 2 }, () => ["question:q_1/slack/ops", "Bearer hub-token", "application/json"]),
  );
});

it("names the page of the run where there is one", async () => {
  await send({ page: "https://runbookd.example/runs/run_1#step-2" });
  expect(hook.received[0]?.body).toMatchObject({ page: "https://runbookd.example/runs/run_1#step-2" });
});

it("caps the text", async () => {
  await send({ text: "x".repeat(1_000_000) });
  expect(JSON.stringify(hook.received[0]?.body).length).toBeLessThan(101_000);
});

it.each([
  [401, false],
  [404, false],
  [413, false],
  [308, false],
  [408, true],
  [425, true],
  [429, true],
  [502, true],
])("reads %i: worth another try is %s", async (status, retry) => {
  hook.answerWith({ status, body: "secret hub-token" });
  expect(await send()).toEqual({ kind: "failed", retry, error: `webhook hub answered ${status}` });
});
