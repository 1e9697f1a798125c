import { describe, expect, it } from "@jest/globals";
import { type ClaimedMail, laneOf, mailLane, type Outbox, type OutboxRow } from "../../src/core/outbox.ts";

const lease = 1000;

function aRow(key: string, putAt: number): OutboxRow {
  const link = { id: "q-1", runId: "run-1", stepId: "one", planSha: "a", expiresAt: 5 };
  return { key, to: "default", content: { kind: "message", runId: "run-1", subject: "s", text: "ü\n*", link, group: "storm" }, putAt };
}

async function claimed(outbox: Outbox, now: number): Promise<ClaimedMail> {
  const claim = await outbox.claim(mailLane, now, lease);
  if (claim === undefined) throw new Error("A row should be due.");
  return claim;
}

/** What every outbox promises. `create` gives an empty one. */
export function describeOutbox(name: string, create: () => Promise<Outbox>): void {
  describe(`${name} as a store of mails`, () => {
    it("keeps one row for a key, the first", async () => {
      const outbox = await create();
      expect(await outbox.put(aRow("a", 10))).toEqual({ put: true });
      expect(await outbox.put({ ...aRow("a", 99), to: "other" })).toEqual({ put: false });
      expect((await claimed(outbox, 10)).row).toEqual(aRow("a", 10));
    });

    it("keeps the target of a row", async () => {
      const outbox = await create();
      const row = { ...aRow("a", 0), target: "slack/ops" };
      await outbox.put(row);
      expect((await outbox.claim(laneOf(row), 0, lease))?.row).toEqual(row);
    });

    it("keeps a lane for each target, and one for all mails, until nothing waits in it", async () => {
      const outbox = await create();
      const rows = [aRow("a", 0), { ...aRow("b", 1), target: "slack/ops" }, { ...aRow("c", 2), to: "other", target: "slack/ops" }];
      for (const row of [...rows, { ...aRow("d", 3), to: "other" }]) await outbox.put(row);
      expect([...(await outbox.lanes())].sort()).toEqual(["default/slack/ops", mailLane, "other/slack/ops"]);
      expect(await outbox.claim("default/slack/op", 9, lease)).toBeUndefined();
      const held = await outbox.claim("other/slack/ops", 9, lease);
      expect(held).toMatchObject({ lane: "other/slack/ops", row: { key: "c" } });
      expect(await outbox.lanes()).toHaveLength(3);
      expect(held !== undefined && (await outbox.settle(held, { kind: "sent", at: 9, messageId: "<m>" }))).toBe(true);
      expect(await outbox.lanes()).not.toContain("other/slack/ops");
      expect((await outbox.claim("default/slack/ops", 9, lease))?.row.key).toBe("b");
      expect((await claimed(outbox, 9)).row.key).toBe("a");
    });

    it("gives what is due first, to one claimer until its lease ends", async () => {
      const outbox = await create();
      await outbox.put(aRow("late", 20));
      await outbox.put(aRow("early", 10));
      expect(await outbox.claim(mailLane, 9, lease)).toBeUndefined();
      expect((await claimed(outbox, 20)).row.key).toBe("early");
      expect((await claimed(outbox, 21)).row.key).toBe("late");
      expect(await outbox.claim(mailLane, 21, lease)).toBeUndefined();
      expect((await claimed(outbox, 20 + lease)).row.key).toBe("early");
    });

    it("lets only the holder of the lease settle", async () => {
      const outbox = await create();
      await outbox.put(aRow("a", 0));
      const lost = await claimed(outbox, 0);
      const held = await claimed(outbox, lease);
      expect(await outbox.settle(lost, { kind: "gave_up", at: 1, error: "late" })).toBe(false);
      expect(await outbox.settle(held, { kind: "sent", at: 5, messageId: "<m>" })).toBe(true);
      expect(await outbox.settle(held, { kind: "retry", at: 5, dueAt: 6, error: "e" })).toBe(false);
      expect(await outbox.find("a")).toEqual({ state: "sent", at: 5, messageId: "<m>" });
    });

    it("never gives a mail again that was sent, and never puts it again", async () => {
      const outbox = await create();
      await outbox.put(aRow("a", 0));
      await outbox.settle(await claimed(outbox, 0), { kind: "sent", at: 1, messageId: "<m>" });
      expect(await outbox.put(aRow("a", 2))).toEqual({ put: false });
      expect(await outbox.claim(mailLane, 1e12, lease)).toBeUndefined();
      expect(await outbox.status()).toEqual({ waiting: 0, gaveUp: 0 });
    });

    it("counts deliveries that failed, and shows the error", async () => {
      const outbox = await create();
      await outbox.put(aRow("a", 0));
      await outbox.settle(await claimed(outbox, 0), { kind: "retry", at: 1, dueAt: 50, error: "ESOCKET" });
      expect(await outbox.claim(mailLane, 49, lease)).toBeUndefined();
      expect(await outbox.find("a")).toEqual({ state: "waiting", attempts: 1, error: "ESOCKET" });
      expect((await claimed(outbox, 50)).attempts).toBe(1);
    });

    it("does not count what could not be composed yet", async () => {
      const outbox = await create();
      await outbox.put(aRow("a", 0));
      await outbox.settle(await claimed(outbox, 0), { kind: "later", at: 1, dueAt: 50 });
      expect((await claimed(outbox, 50)).attempts).toBe(0);
    });

    it("shows what was given up and how long the oldest waits", async () => {
      const outbox = await create();
      await outbox.put(aRow("a", 10));
      await outbox.put(aRow("b", 20));
      expect(await outbox.status()).toEqual({ waiting: 2, gaveUp: 0, oldestPutAt: 10 });
      await outbox.settle(await claimed(outbox, 30), { kind: "gave_up", at: 30, error: "550" });
      expect(await outbox.status()).toEqual({ waiting: 1, gaveUp: 1, oldestPutAt: 20 });
      expect(await outbox.find("a")).toEqual({ state: "gave_up", at: 30, error: "550" });
      expect(await outbox.find("nothing")).toBeUndefined();
    });

    it("gives every row to exactly one of many claimers", async () => {
      const outbox = await create();
      await Promise.all(Array.from({ length: 20 }, (_, index) => outbox.put(aRow(`row-${index}`, index))));
      const claims = await Promise.all(Array.from({ length: 40 }, () => outbox.claim(mailLane, 100, lease)));
      const taken = claims.flatMap((claim) => (claim === undefined ? [] : [claim.row.key]));
      expect(taken).toHaveLength(20);
      expect(new Set(taken).size).toBe(20);
    });
  });
}
