import { describe, expect, it } from "@jest/globals";
import type { DecisionFilter, DecisionLimits, DecisionLog, NewDecision } from "../../src/alerts/decision-log.ts";
import { createFakeClock, type FakeClock } from "../fakes/fake-clock.ts";

const dayMs = 86_400_000;

/** Opens an empty log over the clock; without limits those of the product bind. */
export type OpenDecisionLog = (clock: FakeClock, limits?: DecisionLimits) => Promise<DecisionLog>;

let counter = 0;

/** A decision of which the test cares for what it names. */
export function aNewDecision(decision: Partial<NewDecision> = {}): NewDecision {
  counter += 1;
  return {
    id: `dec_${String(counter).padStart(6, "0")}`,
    fingerprint: "f1",
    decision: "unmatched",
    reason: "No runbook's triggers match these labels.",
    at: 1000,
    source: "webhook",
    alertName: "Burn",
    labels: { budget: "checkout" },
    startsAt: 500,
    ...decision,
  };
}

/** The specification of every log of decisions. */
export function describeDecisionLog(name: string, open: OpenDecisionLog): void {
  describe(`${name} as a log of decisions`, () => {
    const listed = async (log: DecisionLog, filter: DecisionFilter = {}) => (await log.list(filter, { limit: 200 }))?.items ?? [];
    const idsOf = async (log: DecisionLog, filter?: DecisionFilter) => (await listed(log, filter)).map(({ id }) => id);

    it("lists what was recorded whole, newest first", async () => {
      const log = await open(createFakeClock(5000));
      const first = aNewDecision();
      const second = aNewDecision({
        fingerprint: "f2",
        decision: "refused",
        guardrail: "cooldown",
        retryAt: 9000,
        runbook: "cost",
        at: 2000,
      });
      await log.record([first, second]);
      expect(await listed(log)).toEqual([
        { ...second, count: 1, lastAt: 2000 },
        { ...first, count: 1, lastAt: 1000 },
      ]);
      expect(await log.list({}, { limit: 200 })).not.toHaveProperty("nextCursor");
    });

    it("counts what repeats the last decision about an alert, and keeps what differs from it", async () => {
      const log = await open(createFakeClock(90_000));
      const first = aNewDecision();
      await log.record([first]);
      await log.record([aNewDecision({ at: 2000 }), aNewDecision({ fingerprint: "f2", at: 2500 })]);
      await log.record([aNewDecision({ at: 3000 })]);
      await log.record([aNewDecision({ at: 4000 })], { countsRepeats: false });
      expect((await listed(log, { fingerprint: "f1" })).map(({ id, count, lastAt }) => [id, count, lastAt])).toEqual([[first.id, 3, 3000]]);
      // A new episode, another verdict, the first one again, and the same alert for another runbook.
      await log.record([aNewDecision({ at: 5000, startsAt: 4900 })]);
      await log.record([aNewDecision({ at: 6000, startsAt: 4900, decision: "stale" })]);
      await log.record([aNewDecision({ at: 7000, startsAt: 4900 })]);
      await log.record([aNewDecision({ at: 8000, startsAt: 4900, runbook: "cost" })]);
      expect((await listed(log, { fingerprint: "f1" })).map(({ at }) => at)).toEqual([8000, 7000, 6000, 5000, 1000]);
    });

    it("does not keep a refusal again because its time is worded anew", async () => {
      const log = await open(createFakeClock(90_000));
      const refused = { decision: "refused", guardrail: "cooldown", runbook: "cost" } as const;
      await log.record([aNewDecision({ ...refused, reason: "until 9000", retryAt: 9000 })]);
      await log.record([aNewDecision({ ...refused, reason: "until 9001", retryAt: 9001, at: 2000 })]);
      expect((await listed(log)).map(({ count }) => count)).toEqual([2]);
    });

    it("filters by alert, name, runbook, kind and time, and by several of them", async () => {
      const log = await open(createFakeClock(90_000));
      await log.record([
        aNewDecision({ id: "a", fingerprint: "f1", alertName: "Burn", runbook: "cost", decision: "joined", runId: "r", at: 1000 }),
        aNewDecision({ id: "b", fingerprint: "f2", alertName: "Burn", runbook: "cost", decision: "refused", at: 2000 }),
        aNewDecision({ id: "c", fingerprint: "f3", alertName: "Down", runbook: "restart", decision: "refused", at: 3000 }),
        aNewDecision({ id: "d", fingerprint: "", decision: "unreadable", alertName: "__proto__", at: 4000 }),
      ]);
      expect(await idsOf(log, { fingerprint: "f1" })).toEqual(["a"]);
      expect(await idsOf(log, { alertName: "Burn" })).toEqual(["b", "a"]);
      expect(await idsOf(log, { alertName: "Burn", decision: "refused" })).toEqual(["b"]);
      expect(await idsOf(log, { decision: "refused" })).toEqual(["c", "b"]);
      expect(await idsOf(log, { decision: "refused", runbook: "restart", alertName: "Down" })).toEqual(["c"]);
      expect(await idsOf(log, { alertName: "Burn", runbook: "restart" })).toEqual([]);
      expect(await idsOf(log, { since: 2000, until: 3000 })).toEqual(["c", "b"]);
      expect(await idsOf(log, { since: 2500, decision: "refused", runbook: "restart" })).toEqual(["c"]);
      expect(await idsOf(log, { until: 1500, alertName: "Burn", runbook: "cost" })).toEqual(["a"]);
      expect(await idsOf(log, { alertName: "__proto__" })).toEqual(["d"]);
    });

    it.each([{}, { alertName: "Burn" }, { alertName: "Burn", decision: "unmatched" }] as const)(
      "pages through %j once each, although new ones come in and many have the same time",
      async (filter) => {
        const log = await open(createFakeClock(90_000));
        const recorded = Array.from({ length: 25 }, (_, at) => aNewDecision({ fingerprint: `f${at}`, at: 1000 + Math.floor(at / 10) }));
        await log.record(recorded);
        const paged: string[] = [];
        let cursor: string | undefined;
        let pages = 0;
        do {
          const page = await log.list(filter, { limit: 10, ...(cursor !== undefined && { cursor }) });
          if (page === undefined) throw new Error("The cursor was refused.");
          paged.push(...page.items.map(({ id }) => id));
          cursor = page.nextCursor;
          pages += 1;
          await log.record([aNewDecision({ fingerprint: `later${pages}`, at: 2000 })]);
        } while (cursor !== undefined);
        expect([pages, paged]).toEqual([3, recorded.map(({ id }) => id).toReversed()]);
      },
    );

    it.each(["none", "", "AAAA", Buffer.from("1 x y").toString("base64url")])(
      "refuses the cursor %j, which is none of it",
      async (cursor) => {
        const log = await open(createFakeClock(90_000));
        expect(await log.list({}, { limit: 10, cursor })).toBeUndefined();
      },
    );

    it("is bounded by count, by class and by age", async () => {
      const clock = createFakeClock(1000);
      const log = await open(clock, { maxEntries: 8, maxPerClass: 5, retentionMs: dayMs });
      await log.record([aNewDecision({ id: "quiet", fingerprint: "q", alertName: "Quiet" })]);
      await log.record(Array.from({ length: 9 }, (_, at) => aNewDecision({ fingerprint: `f${at}`, at: 1001 + at })));
      // A noisy alert leaves the others their place.
      expect((await listed(log)).map(({ at }) => at)).toEqual([1009, 1008, 1007, 1006, 1005, 1000]);
      await log.record(Array.from({ length: 4 }, (_, at) => aNewDecision({ fingerprint: `g${at}`, alertName: "Other", at: 1020 + at })));
      expect((await listed(log)).map(({ at }) => at)).toEqual([1023, 1022, 1021, 1020, 1009, 1008, 1007, 1006]);
      expect(await listed(log, { alertName: "Quiet" })).toEqual([]);
      // What was removed is no longer the last decision about its alert.
      await log.record([aNewDecision({ id: "again", fingerprint: "q", alertName: "Quiet", at: 1030 })]);
      expect(await idsOf(log, { alertName: "Quiet" })).toEqual(["again"]);
      await clock.advance(dayMs + 25);
      expect((await listed(log)).map(({ at }) => at)).toEqual([1030]);
    });

    it("takes more decisions at once than one call of a script does", async () => {
      const log = await open(createFakeClock(90_000));
      await log.record(Array.from({ length: 600 }, (_, at) => aNewDecision({ fingerprint: `f${at}`, at: 1000 + at })));
      expect((await log.list({}, { limit: 1000 }))?.items).toHaveLength(600);
    });
  });
}
