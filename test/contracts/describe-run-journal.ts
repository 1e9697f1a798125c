import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { RunRequest } from "../../packages/sdk/src/wire/runs.ts";
import type { Append, ClaimedRun, RunJournal } from "../../src/runs/store.ts";

/** One ledger, seen by two workers, and what the suite must see of it. */
export interface RunJournalHarness {
  readonly ledger: RunJournal;
  /** The same ledger in another worker's hands. */
  readonly other: RunJournal;
  create(runId: string, request: RunRequest): Promise<void>;
  /** The entries of a log that claims have written. */
  log(name: string): Promise<readonly string[]>;
  journal(runId: string): Promise<readonly JournalEntry[]>;
  notice(
    runId: string,
    notice: { readonly stop?: { readonly by: string; readonly reason: string }; readonly resolved?: string },
  ): Promise<void>;
  /** Another alert joins the run and tells it so. */
  join(runId: string, request: RunRequest, why: string): Promise<void>;
  expireLease(runId: string): Promise<void>;
  freeze(freeze: Freeze): Promise<void>;
  /** Lifts the freeze of a scope. */
  unfreeze(scope: string): Promise<void>;
  close(): Promise<void>;
}

const request: RunRequest = { runbookId: "contract", runbookSha: "c".repeat(64), mode: "auto", params: {}, source: "manual" };

/** The contract of `RunLedger`: every implementation passes it. */
export function describeRunJournal(name: string, create: () => Promise<RunJournalHarness>): void {
  describe(`${name} as a ledger of runs`, () => {
    let harness: RunJournalHarness;
    let count = 0;
    let runId = "";

    beforeEach(async () => {
      harness = await create();
      count += 1;
      runId = `run_ledger${count}`;
      await harness.create(runId, request);
    });

    afterEach(async () => {
      await harness.close();
    });

    async function claimed(ledger: RunJournal = harness.ledger): Promise<ClaimedRun> {
      const reply = await ledger.claim(runId);
      if ("refused" in reply) throw new Error(`The claim was refused: ${reply.refused}.`);
      return reply;
    }

    function aChange(run: ClaimedRun, change: Partial<Append> = {}): Append {
      return {
        head: run.head,
        entries: [{ at: 1, kind: "claimed", worker: "w" }],
        state: "running",
        summary: {},
        claims: [],
        recordedNotices: { stop: false, resolved: false },
        ...change,
      };
    }

    it("gives a run to one worker, with its whole journal", async () => {
      const run = await claimed();
      expect(run.journal.map((entry) => entry.kind)).toEqual(["accepted"]);
      expect(run.stalls).toBe(1);
      expect(await harness.other.claim(runId)).toEqual({ refused: "leased" });
      expect(await harness.ledger.claim(runId)).toEqual({ refused: "leased" });
    });

    it("does not know a run that nobody created", async () => {
      expect(await harness.ledger.claim("run_nobody")).toEqual({ refused: "unknown_run" });
    });

    it("appends in order and answers the new head", async () => {
      const run = await claimed();
      const first = await harness.ledger.append(run.lease, aChange(run));
      if (first.kind !== "ok") throw new Error(first.kind);
      await harness.ledger.append(
        run.lease,
        aChange(run, {
          head: first.head,
          entries: [
            { at: 2, kind: "completed", step: "a" },
            { at: 3, kind: "completed", step: "b" },
          ],
        }),
      );
      expect((await harness.journal(runId)).map((entry) => entry.kind)).toEqual(["accepted", "claimed", "completed", "completed"]);
    });

    it("refuses the zombie once another worker has claimed, and the refused write changes nothing", async () => {
      const zombie = await claimed();
      await harness.expireLease(runId);
      const heir = await claimed(harness.other);
      expect(heir.lease.epoch).toBeGreaterThan(zombie.lease.epoch);
      expect(heir.stalls).toBe(2);
      expect(await harness.ledger.append(zombie.lease, aChange(zombie))).toEqual({ kind: "fenced" });
      expect((await harness.ledger.renew(zombie.lease)).renewed).toBe(false);
      expect((await harness.journal(runId)).length).toBe(1);
      expect((await harness.other.append(heir.lease, aChange(heir))).kind).toBe("ok");
    });

    it("refuses a write that follows another head than the one written last", async () => {
      const run = await claimed();
      await harness.ledger.append(run.lease, aChange(run));
      expect(await harness.ledger.append(run.lease, aChange(run, { entries: [{ at: 9, kind: "completed", step: "late" }] }))).toEqual({
        kind: "fenced",
      });
    });

    it("answers a write that is repeated because its reply was lost, and writes it once", async () => {
      const run = await claimed();
      const first = await harness.ledger.append(
        run.lease,
        aChange(run, { claims: [{ bucket: `once${count}`, max: 1, windowMs: 60_000, amount: 1 }] }),
      );
      expect(
        await harness.ledger.append(run.lease, aChange(run, { claims: [{ bucket: `once${count}`, max: 1, windowMs: 60_000, amount: 1 }] })),
      ).toEqual(first);
      expect((await harness.journal(runId)).length).toBe(2);
    });

    it("does not revive an expired lease, even when nobody has taken the run", async () => {
      const run = await claimed();
      await harness.expireLease(runId);
      expect((await harness.ledger.renew(run.lease)).renewed).toBe(false);
    });

    it("counts claims without progress and forgets them at the next write", async () => {
      await claimed();
      await harness.expireLease(runId);
      const second = await claimed();
      expect(second.stalls).toBe(2);
      await harness.ledger.append(second.lease, aChange(second));
      await harness.expireLease(runId);
      expect((await claimed()).stalls).toBe(1);
    });

    it("takes a lock with the write, holds it for the run, and frees it at the end", async () => {
      const run = await claimed();
      const first = await harness.ledger.append(run.lease, aChange(run, { claims: [{ lock: "t1" }] }));
      if (first.kind !== "ok") throw new Error(first.kind);

      const rival = `run_rival${count}`;
      await harness.create(rival, request);
      const other = await harness.other.claim(rival);
      if ("refused" in other) throw new Error(other.refused);
      const refused = await harness.other.append(other.lease, aChange(other, { claims: [{ lock: "t1" }] }));
      expect(refused).toMatchObject({ kind: "claim_refused", holder: runId });
      expect((await harness.journal(rival)).length).toBe(1);

      await harness.ledger.append(
        run.lease,
        aChange(run, {
          head: first.head,
          entries: [{ at: 2, kind: "finished", outcome: "succeeded", reason: "" }],
          state: "ended",
          release: {},
        }),
      );
      expect((await harness.other.append(other.lease, aChange(other, { claims: [{ lock: "t1" }] }))).kind).toBe("ok");
      expect(await harness.ledger.claim(runId)).toEqual({ refused: "ended" });
    });

    it("starts a cooldown at the end of a run, and leaves a longer one that its start has claimed as it is", async () => {
      const until = async (bucket: string, forMs: number, claimedMs?: number) => {
        const id = `run_${bucket}`;
        await harness.create(id, request);
        const run = await harness.ledger.claim(id);
        if ("refused" in run) throw new Error(run.refused);
        const claims = claimedMs === undefined ? [] : [{ bucket, max: 1, windowMs: claimedMs, amount: 1 }];
        const end: Partial<Append> = { state: "ended", release: {}, claims, cooldowns: [{ bucket, forMs }] };
        await harness.ledger.append(
          run.lease,
          aChange(run, { ...end, entries: [{ at: 2, kind: "finished", outcome: "succeeded", reason: "" }] }),
        );
        const rival = `${id}_next`;
        await harness.create(rival, request);
        const next = await harness.ledger.claim(rival);
        if ("refused" in next) throw new Error(next.refused);
        const reply = await harness.ledger.append(next.lease, aChange(next, { claims: [{ bucket, max: 1, windowMs: 1, amount: 1 }] }));
        if (reply.kind !== "claim_refused") throw new Error(reply.kind);
        return reply.retryAt ?? 0;
      };
      const single = await until(`single${count}`, 60_000);
      const doubled = await until(`doubled${count}`, 60_000, 3_600_000);
      expect(doubled - single).toBeGreaterThan(3_000_000);
    });

    it("takes all claims or none", async () => {
      const run = await claimed();
      const full = { bucket: `full${count}`, max: 1, windowMs: 60_000, amount: 2 };
      const reply = await harness.ledger.append(run.lease, aChange(run, { claims: [{ lock: `t2-${count}` }, full] }));
      expect(reply).toMatchObject({ kind: "claim_refused", claim: full });

      const rival = `run_rival${count}`;
      await harness.create(rival, request);
      const other = await harness.other.claim(rival);
      if ("refused" in other) throw new Error(other.refused);
      expect((await harness.other.append(other.lease, aChange(other, { claims: [{ lock: `t2-${count}` }] }))).kind).toBe("ok");
    });

    it("keeps the newest fifty entries of a log, together with the write and never without it", async () => {
      const run = await claimed();
      const log = `log${count}`;
      const entry = (text: string) => ({ log, entry: text, retentionMs: 60_000 });
      const full = { bucket: `never${count}`, max: 0, windowMs: 60_000, amount: 1 };
      expect((await harness.ledger.append(run.lease, aChange(run, { claims: [entry("refused"), full] }))).kind).toBe("claim_refused");
      const claims = Array.from({ length: 60 }, (_, index) => entry(`e${index}`));
      expect((await harness.ledger.append(run.lease, aChange(run, { claims }))).kind).toBe("ok");
      const kept = await harness.log(log);
      expect([kept.length, kept[0], kept.at(-1)]).toEqual([50, "e10", "e59"]);
    });

    it("does not let concurrent claims exceed a bucket", async () => {
      const runs = await Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const id = `run_bucket${count}x${index}`;
          await harness.create(id, request);
          const run = await harness.ledger.claim(id);
          if ("refused" in run) throw new Error(run.refused);
          return run;
        }),
      );
      const claim = { bucket: `three${count}`, max: 3, windowMs: 60_000, amount: 1 };
      const replies = await Promise.all(runs.map(async (run) => harness.ledger.append(run.lease, aChange(run, { claims: [claim] }))));
      expect(replies.filter((reply) => reply.kind === "ok").length).toBe(3);
    });

    it("sleeps until its time when released, and is claimed by nobody before", async () => {
      const run = await claimed();
      await harness.ledger.append(run.lease, aChange(run, { state: "suspended", release: { dueAt: Date.UTC(2999, 0, 1) } }));
      expect(await harness.other.claim(runId)).toEqual({ refused: "waiting" });
    });

    it("is claimed at once when its sleep began later than now, because the clock was set back", async () => {
      const run = await claimed();
      const dueAt = Date.UTC(2999, 0, 1);
      await harness.ledger.append(run.lease, aChange(run, { state: "suspended", release: { dueAt, at: dueAt - 60_000 } }));
      expect(await harness.other.claim(runId)).not.toHaveProperty("refused");
    });

    it("is woken from its sleep by a stop, and hands the stop over", async () => {
      const run = await claimed();
      await harness.ledger.append(run.lease, aChange(run, { state: "suspended", release: {} }));
      expect(await harness.other.claim(runId)).toEqual({ refused: "waiting" });
      await harness.notice(runId, { stop: { by: "ann", reason: "enough" } });
      const woken = await claimed(harness.other);
      expect(woken.notices.stop).toEqual({ by: "ann", reason: "enough" });
    });

    it("does not sleep over a notice that came before the release and was not heard", async () => {
      const run = await claimed();
      await harness.notice(runId, { resolved: "the alert ended" });
      await harness.ledger.append(run.lease, aChange(run, { state: "suspended", release: {} }));
      expect((await claimed(harness.other)).notices.resolved).toBe("the alert ended");
    });

    it("sleeps on when the notice had been heard", async () => {
      const run = await claimed();
      await harness.notice(runId, { resolved: "the alert ended" });
      await harness.ledger.append(
        run.lease,
        aChange(run, { state: "suspended", release: {}, recordedNotices: { stop: false, resolved: true } }),
      );
      expect(await harness.other.claim(runId)).toEqual({ refused: "waiting" });
    });

    it("is woken from its sleep by an alert that joins, and tells the next claim of it", async () => {
      const run = await claimed();
      expect(run.joined).toBeUndefined();
      await harness.ledger.append(run.lease, aChange(run, { state: "suspended", release: {} }));
      await harness.join(runId, request, "another alert");
      const woken = await claimed();
      expect(woken.joined).toEqual({ count: 1, why: "another alert" });
      await harness.ledger.append(woken.lease, aChange(woken, { state: "suspended", release: {} }));
      expect(await harness.ledger.claim(runId)).toEqual({ refused: "waiting" });
    });

    it("does not sleep over an alert that joined while it was being worked on", async () => {
      const run = await claimed();
      await harness.join(runId, request, "another alert");
      await harness.ledger.append(run.lease, aChange(run, { state: "suspended", release: {} }));
      expect((await claimed()).joined).toEqual({ count: 1, why: "another alert" });
    });

    it("tells the holder of notices with every reply", async () => {
      const run = await claimed();
      await harness.notice(runId, { stop: { by: "ann", reason: "enough" } });
      expect((await harness.ledger.renew(run.lease)).notices.stop?.by).toBe("ann");
      const reply = await harness.ledger.append(run.lease, aChange(run));
      expect(reply.kind === "ok" && reply.notices.stop?.reason).toBe("enough");
    });

    it("does not let an effect begin after a stop that its run has not heard of", async () => {
      const run = await claimed();
      await harness.notice(runId, { stop: { by: "ann", reason: "enough" } });
      expect(await harness.ledger.append(run.lease, aChange(run, { precedes: "effect" }))).toMatchObject({
        kind: "stopped",
        notices: { stop: { by: "ann" } },
      });
      expect((await harness.journal(runId)).length).toBe(1);
      expect(
        (await harness.ledger.append(run.lease, aChange(run, { precedes: "effect", recordedNotices: { stop: true, resolved: false } })))
          .kind,
      ).toBe("ok");
    });

    it("does not let an effect begin under a freeze of its scope, writes nothing, and says who and why", async () => {
      const run = await claimed();
      const freeze = { scope: "target:t/1", by: "ann", reason: "a release", at: 1, undo: true };
      await harness.freeze(freeze);
      const effect = { precedes: "effect" as const, freeze: { scopes: ["all", "runbook:contract", "target:t/1"], undo: false } };
      expect(await harness.ledger.append(run.lease, aChange(run, { ...effect, claims: [{ lock: `frozen${count}` }] }))).toEqual({
        kind: "frozen",
        freeze,
      });
      expect((await harness.journal(runId)).length).toBe(1);
      await harness.unfreeze(freeze.scope);
      expect((await harness.ledger.append(run.lease, aChange(run, effect))).kind).toBe("ok");
    });

    it("lets pass what a freeze does not cover, what asks for no effect, and an undo that it permits", async () => {
      let run = await claimed();
      await harness.freeze({ scope: "action:deploy", by: "ann", reason: "a release", at: 1, undo: true });
      for (const freeze of [
        { scopes: ["all", "action:pause"], undo: false },
        undefined,
        { scopes: ["all", "action:deploy"], undo: true },
      ]) {
        const reply = await harness.ledger.append(run.lease, aChange(run, freeze === undefined ? {} : { freeze }));
        if (reply.kind !== "ok") throw new Error(reply.kind);
        run = { ...run, head: reply.head };
      }
      await harness.freeze({ scope: "all", by: "ann", reason: "nothing at all", at: 2, undo: false });
      expect((await harness.ledger.append(run.lease, aChange(run, { freeze: { scopes: ["all"], undo: true } }))).kind).toBe("frozen");
    });

    it("wakes a run that was held back when the freeze is lifted", async () => {
      const run = await claimed();
      await harness.freeze({ scope: "all", by: "ann", reason: "a release", at: 1, undo: true });
      await harness.ledger.append(run.lease, aChange(run, { precedes: "effect", freeze: { scopes: ["all"], undo: false } }));
      await harness.ledger.append(run.lease, aChange(run, { state: "suspended", release: {} }));
      expect(await harness.other.claim(runId)).toEqual({ refused: "waiting" });
      await harness.unfreeze("all");
      await claimed(harness.other);
    });

    it("opens a question together with the entry that asks it", async () => {
      const run = await claimed();
      const question: Question = {
        id: `q_${count}`,
        runId,
        runbookId: "contract",
        stepId: "a",
        kind: "manual",
        text: "?",
        answers: ["done"],
        askedAt: 1,
        role: "operator",
      };
      const reply = await harness.ledger.append(
        run.lease,
        aChange(run, { entries: [{ at: 1, kind: "asked", question }], question, state: "suspended", release: {} }),
      );
      expect(reply.kind).toBe("ok");
      expect(await harness.other.claim(runId)).toEqual({ refused: "waiting" });
    });
  });
}
