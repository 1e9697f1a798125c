import { describe, expect, it } from "@jest/globals";
import type { Mail, MailDelivery, OutboxRow } from "../src/core/outbox.ts";
import type { ComposedMail } from "../src/reports/create-composer.ts";
import { createFakeClock } from "../src/testing/fake-clock.ts";
import { createMemoryOutbox } from "../src/testing/memory-outbox.ts";
import { deliverNext, retryDelayMs, startReportWorker, usualPatience } from "./report.ts";

const everyMs = 1000;
const minute = 60_000;
const sent: MailDelivery = { kind: "sent", refused: [] };

function aBench(deliveries: (MailDelivery | Error)[] = [], composed: ComposedMail[] = []) {
  const clock = createFakeClock();
  const outbox = createMemoryOutbox();
  const mails: Mail[] = [];
  const told: string[] = [];
  const deps = {
    clock,
    outbox,
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
    },
    log: {
      sent: (row: OutboxRow) => told.push(`sent ${row.key}`),
      refusedRecipients: (_row: OutboxRow, count: number) => told.push(`refused ${count}`),
      failed: (_row: OutboxRow, error: string, dueAt: number) => told.push(`failed ${error} ${dueAt - clock.now()}`),
      gaveUp: (_row: OutboxRow, error: string) => told.push(`gave up ${error}`),
      defect: (error: unknown) => told.push(`defect ${String(error)}`),
    },
  };
  const put = (key = "k", to = "default") => outbox.put({ key, to, content: { kind: "review", runId: "run-1" }, putAt: clock.now() });
  const next = () => deliverNext(deps, everyMs, usualPatience);
  return { ...deps, deps, mails, told, put, next };
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
    expect([0, 3, 5, 6, 50].map((attempts) => retryDelayMs(attempts, usualPatience) / minute)).toEqual([1, 8, 32, 60, 60]);
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
    await expect(
      deliverNext({ ...deps, outbox: { ...outbox, settle: async () => Promise.reject(new Error("crash")) } }, everyMs, usualPatience),
    ).rejects.toThrow("crash");
    expect(await next()).toBe(false);
    await clock.advance(60_000);
    await next();
    expect(mails).toHaveLength(2);
    expect(mails[0]?.messageId).toBe(mails[1]?.messageId);
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
