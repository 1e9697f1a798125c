import { expect, it } from "@jest/globals";
import type { Decision, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import { createMemoryDecisionLog } from "../rehearsal/memory-decision-log.ts";
import type { Notification } from "./notification.ts";
import { withDecisionLog } from "./with-decision-log.ts";

function open(answers: readonly Decision[], { isAway = false } = {}) {
  const clock = createFakeClock(5000);
  const log = createMemoryDecisionLog(clock);
  let count = 0;
  const intake = withDecisionLog(
    { accept: async () => answers },
    {
      decisions: isAway ? { record: async () => Promise.reject(new StoreUnavailable("Redis is away.")) } : log,
      clock,
      ids: (prefix) => `${prefix}_${(count += 1)}`,
      redact: (text) => text.replaceAll("hunter22", "[secret]"),
    },
  );
  const listed = async () => (await log.list({}, { limit: 200 }))?.items ?? [];
  return { intake, listed };
}

function aNotification(labels: Labels = { alertname: "Burn", budget: "checkout" }): Notification {
  const alert = { status: "firing", labels, annotations: {}, startsAt: 4000, generatorUrl: "", fingerprint: "f1" } as const;
  return { receiver: "us", groupKey: "{}", truncatedAlerts: 0, alerts: [{ alert }], unreadable: [] };
}

const unmatched = { fingerprint: "f1", decision: "unmatched", reason: "No runbook." } as const;

it("records each decision with its alert before it is answered", async () => {
  const { intake, listed } = open([unmatched, { fingerprint: "", decision: "unreadable", reason: "no startsAt" }]);
  expect(await intake.accept(aNotification())).toHaveLength(2);
  expect(await listed()).toEqual([
    { fingerprint: "", decision: "unreadable", reason: "no startsAt", id: "dec_2", at: 5000, lastAt: 5000, count: 1, source: "webhook" },
    {
      ...unmatched,
      id: "dec_1",
      at: 5000,
      lastAt: 5000,
      count: 1,
      source: "webhook",
      alertName: "Burn",
      labels: { budget: "checkout" },
      startsAt: 4000,
    },
  ]);
});

it("rejects when the decisions cannot be recorded, so that the notification is sent again", async () => {
  await expect(open([unmatched], { isAway: true }).intake.accept(aNotification())).rejects.toBeInstanceOf(StoreUnavailable);
});

it("records of a poll what it starts, is refused and cannot read, and counts no repeats", async () => {
  for (const [decision, count] of [
    ["enqueued", 1],
    ["refused", 1],
    ["paused", 1],
    ["joined", 0],
    ["stale", 0],
    ["resolved", 0],
  ] as const) {
    const { intake, listed } = open([{ fingerprint: "f1", decision }]);
    for (let poll = 0; poll < 3; poll += 1) await intake.accept(aNotification(), "poll");
    expect([decision, (await listed()).map((one) => one.count)]).toEqual([decision, count === 1 ? [1] : []]);
  }
});

it("keeps few short labels and no secret", async () => {
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`label_${at}`, "x".repeat(5000)]));
  const { intake, listed } = open([{ ...unmatched, reason: "hunter22 is refused" }]);
  await intake.accept(aNotification({ password: "hunter22", line: "a\nb", __proto__x: "y", ...many }));
  const [kept] = await listed();
  expect(kept?.reason).toBe("[secret] is refused");
  expect(kept?.labels).toMatchObject({ password: "[secret]", line: "a b" });
  expect(JSON.stringify(kept).length).toBeLessThan(4000);
});
