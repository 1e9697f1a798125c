import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import { createAcceptStore, createRunbookBytes } from "../../src/alerts/redis-store.ts";
import { createSystemClock } from "../../src/core/clock.ts";
import { createRunJournal, type RedisRunJournal } from "../../src/runs/redis-store.ts";

/** A run in a real Redis that waits for the answer to one question. */
export interface AskingRun {
  readonly runId: string;
  readonly question: Question;
  readonly ledger: RedisRunJournal;
}

/** Accepts a run, claims it and suspends it with a question; ids are new each time. */
export async function createAskingRun(redis: Redis, change: Partial<Question> = {}): Promise<AskingRun> {
  const clock = createSystemClock();
  const unique = randomUUID().replaceAll("-", "");
  const runId = `run_${unique}`;
  const runbookSha = "c".repeat(64);
  const bytes = createRunbookBytes(redis);
  await bytes.put(runbookSha, "# Runbook: Asking\n");
  const now = Date.now();
  const [accepted] = await createAcceptStore(redis, { now: () => Date.now(), bytes }).accept([
    {
      runbookId: "asking",
      fingerprint: runId,
      expectedVersion: 0,
      episode: {
        runbookId: "asking",
        fingerprint: runId,
        startsAt: now,
        latestStartsAt: now,
        lastSeenAt: now,
        count: 1,
        recentStarts: [now],
      },
      run: {
        id: runId,
        summary: { id: runId, runbookId: "asking", runbookSha, mode: "approve", state: "queued", source: "manual", acceptedAt: now },
        accepted: {
          at: now,
          kind: "accepted",
          runId,
          request: { runbookId: "asking", runbookSha, mode: "approve", params: {}, source: "manual", requester: "ann" },
        },
        openKey: runId,
        claims: [],
      },
    },
  ]);
  if (accepted?.kind !== "created") throw new Error(`Not accepted: ${accepted?.kind}`);
  const ledger = createRunJournal(redis, { worker: `w_${unique}`, leaseMs: 6000, nonce: randomUUID, clock });
  const claimed = await ledger.claim(runId);
  if ("refused" in claimed) throw new Error(claimed.refused);
  const question: Question = {
    id: `q_${unique}`,
    runId,
    runbookId: "asking",
    stepId: "resume",
    kind: "approve",
    text: "Resume budget checkout?",
    answers: ["approve", "reject"],
    planSha: "a".repeat(64),
    askedAt: now,
    expiresAt: now + 60_000,
    role: "approver",
    requester: "ann",
    ...change,
  };
  await ledger.append(claimed.lease, {
    head: claimed.head,
    entries: [
      { at: now, kind: "claimed", worker: "w" },
      { at: now, kind: "asked", question },
    ],
    state: "suspended",
    summary: {},
    claims: [],
    question,
    recordedNotices: { stop: false, resolved: false },
    release: question.expiresAt === undefined ? {} : { dueAt: question.expiresAt },
  });
  return { runId, question, ledger };
}
