import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { type NotificationReceiver, startSlackReceiver } from "../../../test/servers/notification-receivers.ts";
import { aNotification, aSlackTarget } from "../../../test/servers/notification-targets.ts";
import { createSystemClock } from "../../core/clock.ts";
import { type BoundedSender, createBoundedSender, defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import { createSlackNotifier } from "./create-slack-notifier.ts";

let slack: NotificationReceiver;
let sender: BoundedSender;

beforeEach(async () => {
  slack = await startSlackReceiver();
  sender = createBoundedSender(defaultRequestLimits, { clock: createSystemClock() });
});

afterEach(async () => {
  await sender.close();
  await slack[Symbol.asyncDispose]();
});

const send = async (url = slack.url, change: Parameters<typeof aNotification>[0] = {}) =>
  createSlackNotifier(sender).send(aSlackTarget(url), aNotification(change));

it("posts one message", async () => {
  expect(await send()).toEqual({ kind: "sent" });
  expect(slack.received.map(({ body }) => body)).toEqual([
    { text: "runbookd needs an answer\n\nResume?\nYes or no.", mrkdwn: false, unfurl_links: false, unfurl_media: false },
  ]);
});

it("lets no label call people, link or format", async () => {
  await send(slack.url, { subject: "<!channel> & <https://evil.example|click>", text: "@here @everyone <@U123>" });
  expect(slack.received[0]?.body).toMatchObject({
    text: "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;\n\n@\u2060here @\u2060everyone &lt;@U123&gt;",
  });
});

it("cuts a long text and says so", async () => {
  await send(slack.url, { text: "x".repeat(50_000) });
  const [first] = slack.received;
  expect(JSON.stringify(first?.body).length).toBeLessThan(4000);
  expect(first?.body).toMatchObject({ text: expect.stringContaining("… (run run_1 has the rest)") });
});

it("leads from a cut text to the page of the run", async () => {
  await send(slack.url, { text: "x".repeat(50_000), page: "https://runbookd.example/runs/run_1#step-2" });
  expect(slack.received[0]?.body).toMatchObject({
    text: expect.stringContaining("… (run run_1 has the rest: https://runbookd.example/runs/run_1#step-2)"),
  });
});

it.each([
  ["a wrong URL", "404 (no_service)", (url: string) => `${url}x`],
  ["a redirect", "302", (url: string) => url],
])("gives up %s, without the secret in the error", async (_name, error, change) => {
  if (error === "302") slack.answerWith({ status: 302, body: "", headers: { location: "/elsewhere" } });
  expect(await send(change(slack.url))).toEqual({ kind: "failed", retry: false, error: `slack ops answered ${error}` });
});

it("shows no answer that is not one of Slack's words", async () => {
  slack.answerWith({ status: 400, body: "you sent secret https://hooks…" });
  expect(await send()).toEqual({ kind: "failed", retry: false, error: "slack ops answered 400" });
});

it("tries again later when it is asked to, and when Slack is not there", async () => {
  slack.answerWith({ status: 429, body: "rate_limited", headers: { "retry-after": "30" } });
  expect(await send()).toEqual({ kind: "failed", retry: true, error: "slack ops answered 429 (rate_limited)", retryAfterMs: 30_000 });
  slack.answerWith({ status: 500, body: "rollup_error" });
  expect(await send()).toMatchObject({ retry: true });
  expect(await send("http://127.0.0.1:1/services/secret")).toEqual({
    kind: "failed",
    retry: true,
    error: "slack ops: The target could not be reached (ECONNREFUSED).",
  });
});
