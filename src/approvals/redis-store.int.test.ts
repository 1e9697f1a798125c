import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import { acceptRun } from "../../test/builders/accept-run.ts";
import { type AskingRun, createAskingRun } from "../../test/builders/an-asking-run.ts";
import { describeQuestionStore } from "../../test/contracts/describe-question-store.ts";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { createSystemClock } from "../core/clock.ts";
import { parseRecord } from "../core/journal.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createRunNotices } from "../runs/redis-run-notices.ts";
import { createRunJournal } from "../runs/redis-store.ts";
import type { AnswerRequest, ApprovalService } from "./approval-service.ts";
import { createQuestionLinks } from "./redis-question-links.ts";
import { createApprovalService, createQuestionStore } from "./redis-store.ts";

const held = holdRedis();
let desk: ApprovalService;
const rung: string[] = [];
beforeAll(async () => {
  desk = createApprovalService(held.redis, { enqueue: (runId) => void rung.push(runId) }, createSystemClock());
});

function anAnswer(question: Question, change: Partial<AnswerRequest> = {}): AnswerRequest {
  return {
    answer: "approve",
    reason: "looked at it",
    by: "bob",
    role: "approver",
    at: Date.now(),
    ...(question.planSha !== undefined && { planSha: question.planSha }),
    ...change,
  };
}

async function answersIn({ runId }: AskingRun) {
  const texts = await held.redis.lrange(runKeys.journal(runId), 0, -1);
  return texts.flatMap(parseRecord).filter((entry) => entry.kind === "answered");
}

describeQuestionStore("Redis", async () => {
  const { redis } = held;
  await redis.flushall();
  const clock = createSystemClock();
  return {
    store: createQuestionStore(redis, clock),
    ledger: createRunJournal(redis, { worker: "a", leaseMs: 6000, nonce: () => randomBytes(8).toString("hex"), clock }),
    create: async (runId) =>
      acceptRun(redis, {
        runId,
        request: { runbookId: "contract", runbookSha: "c".repeat(64), mode: "auto", params: {}, source: "manual" },
      }),
    journal: async (runId) => (await redis.lrange(runKeys.journal(runId), 0, -1)).flatMap(parseRecord),
    stop: async (runId) => void (await createRunNotices(redis).stop(runId, "ann", "enough")),
    now: () => clock.now(),
    close: async () => undefined,
  };
});

describe("an approval", () => {
  it("is decided exactly once by 100 parallel answers that contradict each other (A01)", async () => {
    const run = await createAskingRun(held.redis);
    const replies = await Promise.all(
      Array.from({ length: 100 }, async (_, index) =>
        desk.answer(run.question.id, anAnswer(run.question, { by: `p${index}`, answer: index % 2 === 0 ? "approve" : "reject" })),
      ),
    );
    expect(replies.filter(({ kind }) => kind === "ok")).toHaveLength(1);
    expect(replies.filter(({ kind }) => kind === "already")).toHaveLength(99);
    expect(await answersIn(run)).toHaveLength(1);
  });

  it("of two is decided by two different people, in one entry that names both", async () => {
    const run = await createAskingRun(held.redis, { of: 2 });
    expect(await desk.answer(run.question.id, anAnswer(run.question))).toEqual({ kind: "recorded", runId: run.runId, missing: 1 });
    expect(await desk.answer(run.question.id, anAnswer(run.question))).toEqual({ kind: "recorded", runId: run.runId, missing: 1 });
    expect(await answersIn(run)).toEqual([]);
    expect(await desk.find(run.question.id)).toMatchObject({ missing: 1, consents: [{ by: "bob" }] });
    expect(rung).not.toContain(run.runId);
    expect(await desk.answer(run.question.id, anAnswer(run.question, { by: "eve" }))).toEqual({ kind: "ok", runId: run.runId });
    expect(await answersIn(run)).toMatchObject([{ answer: { answer: "approve", by: "eve", consents: [{ by: "bob" }] } }]);
    expect(rung).toContain(run.runId);
    expect(await desk.find(run.question.id)).toMatchObject({ missing: 0, answer: { by: "eve" } });
  });

  it("of three is decided once however 100 consents of ten people race", async () => {
    const run = await createAskingRun(held.redis, { of: 3 });
    const replies = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => desk.answer(run.question.id, anAnswer(run.question, { by: `p${index % 10}` }))),
    );
    expect(replies.filter(({ kind }) => kind === "ok")).toHaveLength(1);
    const [answered, ...others] = await answersIn(run);
    expect(others).toEqual([]);
    const { by, consents = [] } = answered?.answer ?? { by: "nobody" };
    expect(new Set([by, ...consents.map((consent) => consent.by)]).size).toBe(3);
  });

  it("of two is ended by one rejection, even after a consent", async () => {
    const run = await createAskingRun(held.redis, { of: 2 });
    await desk.answer(run.question.id, anAnswer(run.question));
    expect(await desk.answer(run.question.id, anAnswer(run.question, { by: "eve", answer: "reject" }))).toMatchObject({ kind: "ok" });
    expect(await desk.answer(run.question.id, anAnswer(run.question, { by: "joe" }))).toMatchObject({ kind: "already" });
    expect(await answersIn(run)).toMatchObject([{ answer: { answer: "reject", by: "eve" } }]);
  });

  it("is not given by who started the run, whatever the role; a rejection is", async () => {
    const run = await createAskingRun(held.redis);
    expect(await desk.answer(run.question.id, anAnswer(run.question, { by: "ann", role: "admin" }))).toEqual({
      kind: "not_permitted",
      reason: "ann started this run; somebody else must approve it.",
    });
    expect(await desk.answer(run.question.id, anAnswer(run.question, { by: "ann", answer: "reject" }))).toMatchObject({ kind: "ok" });
  });

  it("needs the role of the question", async () => {
    const run = await createAskingRun(held.redis);
    for (const role of ["viewer", "operator", "workload"] as const) {
      expect(await desk.answer(run.question.id, anAnswer(run.question, { role }))).toMatchObject({ kind: "not_permitted" });
    }
    const easy = await createAskingRun(held.redis, { role: "operator" });
    expect(await desk.answer(easy.question.id, anAnswer(easy.question, { role: "operator" }))).toMatchObject({ kind: "ok" });
  });
});

describe("an answer that comes too late (A02)", () => {
  it("is refused after the time is over", async () => {
    const run = await createAskingRun(held.redis, { expiresAt: Date.now() - 1 });
    expect(await desk.answer(run.question.id, anAnswer(run.question))).toEqual({ kind: "expired" });
    expect((await desk.list()).map(({ question }) => question.id)).not.toContain(run.question.id);
  });

  it("is refused when it is for another plan than the one that is asked about, or for none", async () => {
    const run = await createAskingRun(held.redis);
    const { planSha: _plan, ...planless } = anAnswer(run.question);
    expect(await desk.answer(run.question.id, { ...planless, planSha: "b".repeat(64) })).toEqual({ kind: "plan_changed" });
    expect(await desk.answer(run.question.id, planless)).toEqual({ kind: "plan_changed" });
  });

  it("is refused once somebody has stopped the run, before and after a worker has heard of it", async () => {
    const run = await createAskingRun(held.redis);
    await createRunNotices(held.redis).stop(run.runId, "ann", "enough");
    expect(await desk.answer(run.question.id, anAnswer(run.question))).toMatchObject({ kind: "over" });
    const claimed = await run.ledger.claim(run.runId);
    if ("refused" in claimed) throw new Error(claimed.refused);
    await run.ledger.append(claimed.lease, {
      head: claimed.head,
      entries: [{ at: Date.now(), kind: "finished", outcome: "aborted", reason: "stopped" }],
      state: "ended",
      summary: {},
      claims: [],
      recordedNotices: { stop: true, resolved: false },
      release: {},
    });
    expect(await desk.answer(run.question.id, anAnswer(run.question))).toMatchObject({ kind: "over" });
    expect(await answersIn(run)).toEqual([]);
  });

  it("is refused, and the question is no longer open, once the run waits for something else", async () => {
    const run = await createAskingRun(held.redis);
    await createRunNotices(held.redis).wake(run.runId);
    const claimed = await run.ledger.claim(run.runId);
    if ("refused" in claimed) throw new Error(claimed.refused);
    await run.ledger.append(claimed.lease, {
      head: claimed.head,
      entries: [{ at: Date.now(), kind: "suspended", until: Date.now() + 60_000, why: "waiting" }],
      state: "suspended",
      summary: {},
      claims: [],
      recordedNotices: { stop: false, resolved: false },
      release: { dueAt: Date.now() + 60_000 },
    });
    expect((await desk.list()).map(({ question }) => question.id)).not.toContain(run.question.id);
    expect(await desk.answer(run.question.id, anAnswer(run.question))).toMatchObject({ kind: "over" });
  });

  it("waits for a run that a draining worker has only handed on", async () => {
    const run = await createAskingRun(held.redis);
    await createRunNotices(held.redis).wake(run.runId);
    const claimed = await run.ledger.claim(run.runId);
    if ("refused" in claimed) throw new Error(claimed.refused);
    await run.ledger.append(claimed.lease, {
      head: claimed.head,
      entries: [{ at: Date.now(), kind: "claimed", worker: "w" }],
      state: "queued",
      summary: {},
      claims: [],
      recordedNotices: { stop: false, resolved: false },
      release: { dueAt: Date.now() },
    });
    expect(await desk.answer(run.question.id, anAnswer(run.question))).toMatchObject({ kind: "ok" });
  });
});

describe("a mailed link", () => {
  const aToken = () => randomBytes(32).toString("base64url");

  async function aLinkedRun(): Promise<AskingRun & { readonly token: string }> {
    const run = await createAskingRun(held.redis);
    const token = aToken();
    await createQuestionLinks(held.redis, () => Date.now()).add(run.question, token);
    return { ...run, token };
  }

  it("decides with its token, and never again", async () => {
    const run = await aLinkedRun();
    const right = anAnswer(run.question, { link: run.token });
    expect(await desk.answer(run.question.id, right)).toMatchObject({ kind: "ok" });
    expect(await desk.answer(run.question.id, right)).toMatchObject({ kind: "already" });
    expect(await answersIn(run)).toHaveLength(1);
  });

  it("is refused when one bit differs, when it is cut, and when it is another run's (B39)", async () => {
    const run = await aLinkedRun();
    const other = await aLinkedRun();
    const bit = Buffer.from(run.token, "base64url");
    bit[0] = (bit[0] ?? 0) ^ 1;
    const wrong = [bit.toString("base64url"), run.token.slice(0, -1), other.token, ""];
    const replies = [];
    for (const link of wrong) replies.push(await desk.answer(run.question.id, anAnswer(run.question, { link })));
    expect(replies).toEqual([4, 3, 2, 1].map((remainingTries) => ({ kind: "wrong_link", remainingTries })));
    expect(await desk.answer(run.question.id, anAnswer(run.question, { link: run.token }))).toMatchObject({ kind: "ok" });
  });

  it("is locked by five wrong tokens, also for the right one; the other ways stay open", async () => {
    const run = await aLinkedRun();
    const replies = await Promise.all(
      Array.from({ length: 10 }, async () => desk.answer(run.question.id, anAnswer(run.question, { link: aToken() }))),
    );
    expect(replies.every(({ kind }) => kind === "wrong_link")).toBe(true);
    expect(await desk.answer(run.question.id, anAnswer(run.question, { link: run.token }))).toEqual({
      kind: "wrong_link",
      remainingTries: 0,
    });
    expect(await desk.answer(run.question.id, anAnswer(run.question))).toMatchObject({ kind: "ok" });
  });

  it("is no way around the role, the plan or the requester", async () => {
    const run = await aLinkedRun();
    const link = run.token;
    expect(await desk.answer(run.question.id, anAnswer(run.question, { link, role: "viewer" }))).toMatchObject({ kind: "not_permitted" });
    expect(await desk.answer(run.question.id, anAnswer(run.question, { link, by: "ann" }))).toMatchObject({ kind: "not_permitted" });
    expect(await desk.answer(run.question.id, anAnswer(run.question, { link, planSha: "b".repeat(64) }))).toEqual({ kind: "plan_changed" });
  });

  it("is kept as a hash and dies with its question", async () => {
    const run = await aLinkedRun();
    const kept = await held.redis.hgetall(runKeys.links(run.question.id));
    expect(JSON.stringify(kept)).not.toContain(run.token);
    expect(Object.keys(kept)[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(await held.redis.pttl(runKeys.links(run.question.id))).toBeLessThanOrEqual(60_000);
  });
});

describe("a question that nobody answers", () => {
  const ending = { entries: [], summary: {}, claims: [], recordedNotices: { stop: false, resolved: false }, release: {} } as const;

  it("expires with its consents after its run has ended", async () => {
    const run = await createAskingRun(held.redis, { of: 2, expiresAt: Date.now() + 300 });
    await desk.answer(run.question.id, anAnswer(run.question));
    expect(await held.redis.pttl(runKeys.question(run.question.id))).toBe(-1);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const claimed = await run.ledger.claim(run.runId);
    if ("refused" in claimed) throw new Error(claimed.refused);
    await run.ledger.append(claimed.lease, { ...ending, head: claimed.head, state: "ended" });
    for (const key of [runKeys.run(run.runId), runKeys.question(run.question.id), runKeys.consents(run.question.id)])
      expect(await held.redis.pttl(key)).toBeGreaterThan(29 * 86_400_000);
    expect(await held.redis.zscore(runKeys.questions, run.question.id)).toBeNull();
  });

  it("expires when its run goes on without it", async () => {
    const run = await createAskingRun(held.redis, { expiresAt: Date.now() + 300 });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const claimed = await run.ledger.claim(run.runId);
    if ("refused" in claimed) throw new Error(claimed.refused);
    await run.ledger.append(claimed.lease, { ...ending, head: claimed.head, state: "suspended", release: { dueAt: Date.now() + 60_000 } });
    expect(await held.redis.pttl(runKeys.question(run.question.id))).toBeGreaterThan(29 * 86_400_000);
  });
});
