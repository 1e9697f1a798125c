import { describe, expect, it } from "@jest/globals";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryOutbox } from "../../test/fakes/memory-outbox.ts";
import { createRecordedLog, type RecordedLine } from "../../test/fakes/recorded-log.ts";
import { scriptedNotifiers } from "../../test/fakes/scripted-notifiers.ts";
import { aPagerDutyTarget, aSlackTarget, aWebhookTarget } from "../../test/servers/notification-targets.ts";
import { type NotificationDelivery, targetIdOf } from "../core/notification-target.ts";
import type { Mail, MailDelivery } from "../core/outbox.ts";
import type { ComposedMail } from "../reports/create-composer.ts";
import { defaultTimeouts, deliverNext, deliveryLimits, type ReportWorkerDeps, retryDelayMs, startReportWorker } from "./jobs.ts";

const everyMs = 1000;
const minute = 60_000;
const sent: MailDelivery = { kind: "sent", refused: [] };

const oncall = [aSlackTarget(), aWebhookTarget(), aPagerDutyTarget()];

function aBench(deliveries: (MailDelivery | Error)[] = [], composed: ComposedMail[] = [], notifications: NotificationDelivery[] = []) {
  const clock = createFakeClock();
  const outbox = createMemoryOutbox();
  const mails: Mail[] = [];
  const told: string[] = [];
  const deps = {
    clock,
    outbox,
    notifiers: scriptedNotifiers(notifications),
    sender: {
      async send(mail: Mail) {
        mails.push(mail);
        const delivery = deliveries.shift() ?? sent;
        if (delivery instanceof Error) throw delivery;
        return delivery;
      },
    },
    composer: { compose: async () => composed.shift() ?? ({ kind: "mail", subject: "s", text: "t", html: "h" } as const) },
    recipients: {
      defaultGroup: "default",
      domain: "example.org",
      addresses: (group: string) => (group === "default" ? ["a@example.org", "b@example.org"] : undefined),
      targets: () => [],
      target: (group: string, id: string) => (group === "oncall" ? oncall.find((target) => targetIdOf(target) === id) : undefined),
    },
    log: createRecordedLog((line) => told.push(summaryOf(line, clock.now()))),
  };
  const put = (key = "k", to = "default") => outbox.put({ key, to, content: { kind: "review", runId: "run-1" }, putAt: clock.now() });
  const next = () => deliverAny(deps);
  return { ...deps, deps, mails, told, put, next };
}

/** Delivers one row of any lane. */
async function deliverAny(deps: ReportWorkerDeps): Promise<boolean> {
  for (const lane of await deps.outbox.lanes())
    if (await deliverNext(deps, lane, { everyMs, timeouts: defaultTimeouts, limits: deliveryLimits })) return true;
  return false;
}

/** A line of the log in the words of these tests. */
function summaryOf({ message, fields: { key, error, count, dueAt } }: RecordedLine, now: number): string {
  switch (message) {
    case "A notification was sent.":
      return `sent ${String(key)}`;
    case "A notification could not be sent; it waits.":
      return `failed ${String(error)} ${Number(dueAt) - now}`;
    case "A notification was given up.":
      return `gave up ${String(error)}`;
    case "The mail server refused some recipients.":
      return `refused ${String(count)}`;
    default:
      return `defect ${String(error)}`;
  }
}

describe("a delivery", () => {
  it("sends to every address of the group under the row's own Message-ID", async () => {
    const { put, next, mails, outbox, told } = aBench();
    expect(await next()).toBe(false);
    await put();
    expect(await next()).toBe(true);
    expect(mails).toEqual([
      {
        to: ["a@example.org", "b@example.org"],
        subject: "s",
        text: "t",
        html: "h",
        messageId: expect.stringMatching(/^<[0-9a-f]{32}\.runbookd@example\.org>$/),
      },
    ]);
    expect(await outbox.find("k")).toMatchObject({ state: "sent", messageId: mails[0]?.messageId });
    expect(told).toEqual(["sent k"]);
    expect(await next()).toBe(false);
  });

  it("tries again with the same Message-ID, at 1, 2, 4 … minutes", async () => {
    const down: MailDelivery = { kind: "failed", retry: true, error: "ESOCKET" };
    const { put, next, mails, told, clock } = aBench([down, down, sent]);
    await put();
    await next();
    await clock.advance(minute - 1);
    expect(await next()).toBe(false);
    await clock.advance(1);
    await next();
    await clock.advance(2 * minute);
    await next();
    expect(told).toEqual([`failed ESOCKET ${minute}`, `failed ESOCKET ${2 * minute}`, "sent k"]);
    expect(new Set(mails.map((mail) => mail.messageId)).size).toBe(1);
    expect([0, 3, 5, 6, 50].map((attempts) => retryDelayMs(attempts, defaultTimeouts) / minute)).toEqual([1, 8, 32, 60, 60]);
  });

  it("gives up visibly on a final refusal, on an unknown group, on a run that is gone, and after three days", async () => {
    const final = aBench([{ kind: "failed", retry: false, error: "EENVELOPE 550" }]);
    await final.put();
    await final.next();
    expect(final.told).toEqual(["gave up EENVELOPE 550"]);
    expect(await final.outbox.status()).toMatchObject({ gaveUp: 1, waiting: 0 });

    const stranger = aBench();
    await stranger.put("k", "strangers");
    await stranger.next();
    expect(stranger.told).toEqual(['gave up there is no configured group "strangers"']);
    expect(stranger.mails).toEqual([]);

    const gone = aBench([], [{ kind: "gone", reason: "there is no run" }]);
    await gone.put();
    await gone.next();
    expect(gone.told).toEqual(["gave up there is no run"]);

    const late = aBench([{ kind: "failed", retry: true, error: "ESOCKET" }]);
    await late.put();
    await late.clock.advance(3 * 86_400_000);
    await late.next();
    expect(late.told).toEqual(["gave up ESOCKET, for too long"]);
  });

  it("waits for the run to end, without counting it as a failure", async () => {
    const { put, next, mails, told, clock } = aBench([], [{ kind: "later" }]);
    await put();
    expect(await next()).toBe(true);
    expect([mails, told]).toEqual([[], []]);
    await clock.advance(everyMs);
    await next();
    expect(told).toEqual(["sent k"]);
  });

  it("tells of recipients that the server refused", async () => {
    const { put, next, told } = aBench([{ kind: "sent", refused: ["b@example.org"] }]);
    await put();
    await next();
    expect(told).toEqual(["refused 1", "sent k"]);
  });

  it("is made again after a crash between sending and its record, with the same Message-ID", async () => {
    const { put, next, mails, clock, outbox, deps } = aBench();
    await put();
    await expect(deliverAny({ ...deps, outbox: { ...outbox, settle: async () => Promise.reject(new Error("crash")) } })).rejects.toThrow(
      "crash",
    );
    expect(await next()).toBe(false);
    await clock.advance(60_000);
    await next();
    expect(mails).toHaveLength(2);
    expect(mails[0]?.messageId).toBe(mails[1]?.messageId);
  });
});

describe("a delivery to a target of a group", () => {
  const target = (name: string, putAt: number) => ({
    key: `k/${name}`,
    to: "oncall",
    target: name,
    content: { kind: "review", runId: "run-1" } as const,
    putAt,
  });

  it("goes to the notifier of its kind under the row's own key, beside the mail", async () => {
    const { outbox, next, deps, told, mails, clock } = aBench();
    for (const { kind, name } of oncall) await outbox.put(target(`${kind}/${name}`, clock.now()));
    for (const _ of oncall) await next();
    expect(deps.notifiers.told.map(({ target: { kind }, notification }) => [kind, notification])).toEqual(
      oncall.map(({ kind, name }) => [
        kind,
        { key: `k/${kind}/${name}`, about: "review", group: "oncall", runId: "run-1", subject: "s", text: "t", putAt: clock.now() },
      ]),
    );
    expect(told).toEqual(oncall.map(({ kind, name }) => `sent k/${kind}/${name}`));
    expect(mails).toEqual([]);
  });

  it("has retries of its own, and waits as long as the receiver asks", async () => {
    const { outbox, next, told, deps, clock } = aBench(
      [],
      [],
      [
        { kind: "failed", retry: true, error: "slack ops answered 429", retryAfterMs: 5 * minute },
        { kind: "failed", retry: true, error: "slack ops answered 500", retryAfterMs: 1 },
      ],
    );
    await outbox.put(target("slack/ops", clock.now()));
    await next();
    await clock.advance(5 * minute);
    await next();
    await clock.advance(2 * minute);
    await next();
    expect(told).toEqual([
      `failed slack ops answered 429 ${5 * minute}`,
      `failed slack ops answered 500 ${2 * minute}`,
      "sent k/slack/ops",
    ]);
    expect(new Set(deps.notifiers.told.map(({ notification }) => notification.key)).size).toBe(1);
  });

  it("is given up visibly on a final refusal, and when the group has no such target any more", async () => {
    const { outbox, next, told, clock } = aBench([], [], [{ kind: "failed", retry: false, error: "slack ops answered 404 (no_service)" }]);
    await outbox.put(target("slack/ops", clock.now()));
    await outbox.put(target("slack/gone", clock.now()));
    await next();
    await next();
    expect(told).toEqual(["gave up slack ops answered 404 (no_service)", 'gave up the group "oncall" has no target "slack/gone"']);
    expect(await outbox.find("k/slack/ops")).toMatchObject({ state: "gave_up" });
  });

  it("does not wait for a mail server that is not configured; mails stay untouched until there is one, and are given up in the end", async () => {
    const { outbox, put, deps, told, clock } = aBench();
    let claims = 0;
    const counting = { ...outbox, claim: async (...args: Parameters<typeof outbox.claim>) => ((claims += 1), outbox.claim(...args)) };
    const worker = startReportWorker({ ...deps, sender: undefined, outbox: counting }, { everyMs, drain: new AbortController().signal });
    for (let index = 0; index < 100; index += 1) await put(`mail-${index}`);
    await outbox.put(target("webhook/hub", clock.now()));
    await clock.advance(2 * everyMs);
    expect(told).toEqual(["sent k/webhook/hub"]);
    claims = 0;
    await clock.advance(10 * minute);
    // One look a minute, however many wait.
    expect(claims).toBeLessThanOrEqual(11);
    expect(await outbox.find("mail-7")).toEqual({ state: "waiting", attempts: 0 });
    await deliverAny(deps);
    expect(told).toEqual(["sent k/webhook/hub", "sent mail-0"]);
    const putAt = clock.now() - defaultTimeouts.giveUpAfterMs;
    await outbox.put({ key: "old", to: "default", content: { kind: "review", runId: "run-1" }, putAt });
    await clock.advance(2 * minute);
    await worker.close();
    expect(await outbox.find("old")).toMatchObject({ state: "gave_up", error: "no mail server is configured, for too long" });
    expect(await outbox.status()).toMatchObject({ waiting: 99, gaveUp: 1 });
  });
});

it("goes on after a defect, and closes after the mail in hand", async () => {
  const { deps, put, told, clock } = aBench([new Error("boom"), sent]);
  await put("a");
  const worker = startReportWorker(deps, { everyMs, drain: new AbortController().signal });
  await clock.advance(0);
  await put("b");
  await clock.advance(everyMs);
  expect(told).toEqual(["defect Error: boom", "sent b"]);
  await worker.close();
});

describe("lanes", () => {
  const target = (name: string, index: number) => ({
    key: `${name}-${index}`,
    to: "oncall",
    target: name,
    content: { kind: "review", runId: "run-1" } as const,
    putAt: 0,
  });
  const never = new Promise<never>(() => undefined);

  it("let every target be told while a mail server neither answers nor ends, and end that delivery at its limit", async () => {
    const { deps, put, told, clock, outbox } = aBench();
    const signals: AbortSignal[] = [];
    const sender = {
      send: async (_mail: Mail, signal: AbortSignal) => {
        signals.push(signal);
        return never;
      },
    };
    for (let index = 0; index < 5; index += 1) {
      await put(`mail-${index}`);
      await outbox.put(target("webhook/hub", index));
      await outbox.put(target("slack/ops", index));
    }
    const worker = startReportWorker({ ...deps, sender }, { everyMs, drain: new AbortController().signal });
    await clock.advance(everyMs);
    expect(told).toHaveLength(10);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await clock.advance(deliveryLimits.deliveryMs);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(told.at(-1)).toBe(`failed not done after 30 s ${minute}`);
    const closed = worker.close();
    await clock.advance(deliveryLimits.deliveryMs);
    await closed;
    expect(signals).toHaveLength(2);
  });

  it("tell one target one thing at a time, in order", async () => {
    const { deps, told, clock, outbox } = aBench();
    let inFlight = 0;
    const webhook = {
      send: async () => {
        inFlight += 1;
        expect(inFlight).toBe(1);
        await clock.sleep(everyMs);
        inFlight -= 1;
        return { kind: "sent" } as const;
      },
    };
    for (let index = 0; index < 3; index += 1) await outbox.put(target("webhook/hub", index));
    const worker = startReportWorker(
      { ...deps, notifiers: { ...deps.notifiers, webhook } },
      { everyMs: 100, drain: new AbortController().signal },
    );
    for (let round = 0; round < 4; round += 1) await clock.advance(everyMs);
    await worker.close();
    expect(told).toEqual(["sent webhook/hub-0", "sent webhook/hub-1", "sent webhook/hub-2"]);
  });
});
