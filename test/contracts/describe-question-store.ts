import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { AnswerWrite, QuestionStore } from "../../src/approvals/question-store.ts";
import type { Append, RunJournal } from "../../src/runs/store.ts";

/** Questions of a ledger of runs, and what the suite must see of it. */
export interface QuestionStoreHarness {
  readonly store: QuestionStore;
  readonly ledger: RunJournal;
  /** Creates a run that has not begun. */
  create(runId: string): Promise<void>;
  journal(runId: string): Promise<readonly JournalEntry[]>;
  stop(runId: string): Promise<void>;
  /** UTC milliseconds of the store. */
  now(): number;
  close(): Promise<void>;
}

/** The contract of `QuestionStore`: every implementation passes it. */
export function describeQuestionStore(name: string, create: () => Promise<QuestionStoreHarness>): void {
  describe(`${name} as a store of questions`, () => {
    let harness: QuestionStoreHarness;
    let count = 0;
    beforeEach(async () => {
      harness = await create();
      count += 1;
    });
    afterEach(async () => {
      await harness.close();
    });

    async function asking(change: Partial<Question> = {}) {
      const runId = `run_question${count}`;
      await harness.create(runId);
      const now = harness.now();
      const question: Question = {
        id: `q_${count}`,
        runId,
        runbookId: "contract",
        stepId: "a",
        kind: "approve",
        text: "?",
        answers: ["approve", "reject"],
        askedAt: now,
        expiresAt: now + 60_000,
        role: "approver",
        ...change,
      };
      await append(runId, { entries: [{ at: now, kind: "asked", question }], question, state: "suspended", release: {} });
      return question;
    }

    async function append(runId: string, change: Partial<Append>): Promise<void> {
      const run = await harness.ledger.claim(runId);
      if ("refused" in run) throw new Error(run.refused);
      const before: Append = {
        head: run.head,
        entries: [],
        state: "running",
        summary: {},
        claims: [],
        recordedNotices: { stop: false, resolved: false },
      };
      const reply = await harness.ledger.append(run.lease, { ...before, ...change });
      if (reply.kind !== "ok") throw new Error(reply.kind);
    }

    async function writeOf(question: Question, change: Partial<AnswerWrite> = {}, by = "bob"): Promise<AnswerWrite> {
      const { head, consents } = await harness.store.standing({ id: question.id, runId: question.runId }, true);
      const request = { answer: "approve", reason: "looked at it", by, role: "approver", at: harness.now() } as const;
      return { question, runId: question.runId, request, head, consents, mode: "alone", ...change };
    }

    const answered = async ({ runId }: Question) => (await harness.journal(runId)).filter(({ kind }) => kind === "answered").length;

    it("records one answer, wakes the run, and tells the next of the first", async () => {
      const question = await asking();
      const write = await writeOf(question);
      expect(await harness.store.record(write)).toBe("ok");
      expect(await harness.store.record(write)).toMatch(/^already:.*"bob"/u);
      expect(await answered(question)).toBe(1);
      expect(await harness.store.read(question.id)).toMatchObject({ missing: 0, answer: { answer: "approve", by: "bob" } });
      expect(await harness.ledger.claim(question.runId)).toMatchObject({ stalls: 1 });
    });

    it("knows no question that was not asked", async () => {
      const question = await asking();
      const other = { ...question, id: "q_other" };
      expect(await harness.store.read(other.id)).toBeUndefined();
      expect(await harness.store.record(await writeOf(other))).toBe("not_found");
    });

    it("records nothing after the time is over", async () => {
      const question = await asking({ expiresAt: harness.now() - 1 });
      expect(await harness.store.record(await writeOf(question))).toBe("expired");
      expect(await answered(question)).toBe(0);
    });

    it("records nothing while a worker has the run, nor when the run has gone on without an answer", async () => {
      const question = await asking();
      await harness.stop(question.runId);
      expect(await harness.store.record(await writeOf(question))).toBe("over");
      const run = await harness.ledger.claim(question.runId);
      if ("refused" in run) throw new Error(run.refused);
      expect(await harness.store.record(await writeOf(question))).toBe("busy");
      const heard = { recordedNotices: { stop: true, resolved: false }, summary: {}, claims: [] };
      await harness.ledger.append(run.lease, { ...heard, head: run.head, entries: [], state: "suspended", release: {} });
      expect(await harness.store.record(await writeOf(question))).toBe("over");
      expect(await answered(question)).toBe(0);
    });

    it("records nothing for a run that has ended", async () => {
      const question = await asking({ expiresAt: harness.now() + 60_000 });
      await harness.stop(question.runId);
      await append(question.runId, {
        entries: [{ at: 2, kind: "finished", outcome: "aborted", reason: "" }],
        state: "ended",
        release: {},
        recordedNotices: { stop: true, resolved: false },
      });
      expect(await harness.store.record(await writeOf(question))).toBe("over");
    });

    it("keeps the consents of different people until the last of them decides", async () => {
      const question = await asking({ of: 2 });
      const first = await writeOf(question, { mode: "consent" });
      expect(await harness.store.record(first)).toBe("recorded");
      expect(await harness.store.record(first)).toBe("counted");
      expect(await harness.store.record({ ...first, request: { ...first.request, by: "eve" }, mode: "decide" })).toBe("conflict");
      expect(await answered(question)).toBe(0);
      expect(await harness.store.read(question.id)).toMatchObject({ missing: 1, consents: [{ by: "bob" }] });
      expect(await harness.store.record(await writeOf(question, { mode: "decide" }, "eve"))).toBe("ok");
      expect(await harness.store.read(question.id)).toMatchObject({ missing: 0, answer: { by: "eve", consents: [{ by: "bob" }] } });
    });

    it("asks to read again when the journal has changed since", async () => {
      const question = await asking();
      expect(await harness.store.record(await writeOf(question, { head: "f".repeat(64) }))).toBe("conflict");
      expect(await answered(question)).toBe(0);
    });
  });
}
