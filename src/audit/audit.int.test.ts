import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { AuditEntry } from "../../packages/sdk/src/wire/audit.ts";
import { createAskingRun } from "../../test/builders/an-asking-run.ts";
import { createFakeClock, type FakeClock } from "../../test/fakes/fake-clock.ts";
import { createRecordedLog, type RecordedLog } from "../../test/fakes/recorded-log.ts";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { type AnchorFile, createAnchorFile, createAuditAnchoring } from "../app/anchor-audit.ts";
import { createApprovalService } from "../approvals/redis-store.ts";
import type { AuditLog } from "../core/audit.ts";
import { createSystemClock } from "../core/clock.ts";
import { genesisHead, nextHead } from "../core/journal.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createRunNotices } from "../runs/redis-run-notices.ts";
import type { AuditReader } from "./audit-reader.ts";
import { createAuditReader } from "./redis-audit-reader.ts";
import { recordEndedRuns } from "./redis-ended-runs.ts";
import { auditRetentionMs, createAuditLog } from "./redis-store.ts";

const held = holdRedis();
let clock: FakeClock;
let log: AuditLog;
let reader: AuditReader;
beforeAll(async () => {
  clock = createFakeClock(Date.now());
  log = createAuditLog(held.redis, clock);
  reader = createAuditReader(held.redis, () => clock.now());
});
afterEach(async () => {
  await held.redis.flushall();
});

function anEntry(subject: string): AuditEntry {
  return { at: clock.now(), kind: "answered", by: "ann", subject, detail: { answer: "approve" } };
}

async function write(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await log.append(anEntry(`q_${index}`));
}

/** How a record is damaged behind our back. */
const damage: readonly [string, number, (key: string) => Promise<unknown>][] = [
  ["flipped", 1, async (key) => held.redis.lset(key, 1, ((await held.redis.lindex(key, 1)) ?? "").replace('"at":', '"at":1'))],
  ["removed", 1, async (key) => held.redis.lrem(key, 1, (await held.redis.lindex(key, 1)) ?? "")],
  [
    "moved",
    1,
    async (key) => {
      const [second, third] = [(await held.redis.lindex(key, 1)) ?? "", (await held.redis.lindex(key, 2)) ?? ""];
      await held.redis.lset(key, 1, third);
      await held.redis.lset(key, 2, second);
    },
  ],
  ["cut in the middle", 1, async (key) => held.redis.lset(key, 1, ((await held.redis.lindex(key, 1)) ?? "").slice(0, 20))],
];

describe("a run's journal", () => {
  async function anAnsweredRun() {
    const run = await createAskingRun(held.redis);
    await createApprovalService(held.redis, { enqueue: () => undefined }, createSystemClock()).answer(run.question.id, {
      answer: "reject",
      reason: "no",
      by: "bob",
      role: "approver",
      at: Date.now(),
      planSha: "a".repeat(64),
    });
    return run;
  }

  it("holds as it was written by intake, worker and desk", async () => {
    const run = await anAnsweredRun();
    await anAnsweredRun();
    expect(await reader.verify()).toEqual({ ok: true, runs: 2, entries: 8 });
    expect(await reader.verify(run.runId)).toEqual({ ok: true, runs: 1, entries: 4 });
    expect(await reader.verify("run_nobody")).toBeUndefined();
    expect(await reader.verify("no id")).toBeUndefined();
  });

  it.each(damage)("that had a record %s is found at record %i, among all and alone", async (_name, index, spoil) => {
    await anAnsweredRun();
    const run = await anAnsweredRun();
    await anAnsweredRun();
    await spoil(runKeys.journal(run.runId));
    expect(await reader.verify()).toMatchObject({ ok: false, broken: { run: run.runId, index } });
    expect(await reader.verify(run.runId)).toMatchObject({ ok: false, broken: { run: run.runId, index } });
  });

  it("that was cut off at its end is found at the first missing record", async () => {
    const run = await anAnsweredRun();
    await held.redis.ltrim(runKeys.journal(run.runId), 0, -2);
    expect(await reader.verify()).toMatchObject({ ok: false, broken: { run: run.runId, index: 3 } });
  });

  it("that is gone before its time is found; one that has expired is not missed", async () => {
    const run = await anAnsweredRun();
    await held.redis.del(runKeys.run(run.runId), runKeys.journal(run.runId));
    expect(await reader.verify()).toMatchObject({ ok: false, broken: { run: run.runId, index: 0 } });
    const later = createAuditReader(held.redis, () => Date.now() + 31 * 24 * 3_600_000);
    expect(await later.verify()).toMatchObject({ ok: true });
  });
});

describe("the audit log", () => {
  it("keeps every one of 60 records that two servers write at once", async () => {
    const other = createAuditLog(held.redis, clock);
    await Promise.all(Array.from({ length: 60 }, async (_, index) => (index % 2 === 0 ? log : other).append(anEntry(`q_${index}`))));
    expect(await reader.verify()).toEqual({ ok: true, runs: 0, entries: 60 });
  });

  it.each(damage)("that had a record %s is found at record %i", async (_name, index, spoil) => {
    await write(4);
    await spoil(runKeys.audit);
    const verdict = await reader.verify();
    expect(verdict).toMatchObject({ ok: false, broken: { index } });
    expect(verdict?.broken).not.toHaveProperty("run");
  });

  it("that was cut off at either end, or emptied, is found", async () => {
    await write(4);
    await held.redis.ltrim(runKeys.audit, 0, -2);
    expect(await reader.verify()).toMatchObject({ ok: false, broken: { index: 3 } });
    await held.redis.ltrim(runKeys.audit, 1, -1);
    expect(await reader.verify()).toMatchObject({ ok: false, broken: { index: 0 } });
    await held.redis.del(runKeys.audit);
    expect(await reader.verify()).toMatchObject({ ok: false, broken: { index: 0 } });
  });

  it("drops what is older than its time, and still holds", async () => {
    await write(3);
    await clock.advance(auditRetentionMs + 1);
    await write(2);
    expect(await reader.verify()).toMatchObject({ ok: true, entries: 2 });
    expect((await reader.list({ limit: 10 }))?.items.map(({ index, subject }) => [index, subject])).toEqual([
      [4, "q_1"],
      [3, "q_0"],
    ]);
    await held.redis.ltrim(runKeys.audit, 1, -1);
    expect(await reader.verify()).toMatchObject({ ok: false, broken: { index: 3 } });
  });

  it("is read by page, newest first, while it grows", async () => {
    await write(5);
    const first = await reader.list({ limit: 2 });
    await write(1);
    const second = await reader.list({ limit: 2, cursor: first?.nextCursor ?? "" });
    const third = await reader.list({ limit: 2, cursor: second?.nextCursor ?? "" });
    expect([first, second, third].map((page) => page?.items.map(({ index }) => index))).toEqual([[4, 3], [2, 1], [0]]);
    expect(third).not.toHaveProperty("nextCursor");
    expect(await reader.list({ limit: 2, cursor: "forged" })).toBeUndefined();
  });
});

describe("the audit log and what a server keeps of it on its disk", () => {
  let folder: string;
  let file: AnchorFile;
  let anchored: AuditReader;
  let logged: RecordedLog;
  let keep: () => Promise<void>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "runbookd-anchor-"));
    file = createAnchorFile(join(folder, "audit-anchor.json"));
    anchored = createAuditReader(
      held.redis,
      () => clock.now(),
      async () => file.read(),
    );
    logged = createRecordedLog();
    keep = createAuditAnchoring({ reader: anchored, file, log: logged });
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it("is kept with each record that is added, in a file for its owner alone and in the process's log", async () => {
    for (const count of [0, 1, 1, 3]) {
      const before = (await file.read())?.count ?? 0;
      await write(count - (count === 1 && before === 1 ? 1 : 0));
      await keep();
    }
    const kept = await file.read();
    expect(kept).toEqual({ head: await held.redis.hget(runKeys.auditState, "head"), count: 4 });
    expect((await stat(join(folder, "audit-anchor.json"))).mode & 0o777).toBe(0o600);
    expect(logged.lines.map(({ level, fields }) => [level, fields["count"]])).toEqual([
      ["info", 0],
      ["info", 1],
      ["info", 4],
    ]);
    expect(await anchored.verify()).toMatchObject({ ok: true, entries: 4 });
  });

  const loss: readonly [string, () => Promise<unknown>][] = [
    ["removed as a whole", async () => held.redis.del(runKeys.audit, runKeys.auditState)],
    ["emptied together with everything else", async () => held.redis.flushall()],
    [
      "replaced by a shorter one that holds",
      async () => {
        await held.redis.del(runKeys.audit, runKeys.auditState);
        await write(1);
      },
    ],
    [
      "replaced by a longer one that holds",
      async () => {
        await held.redis.del(runKeys.audit, runKeys.auditState);
        clock.jumpTo(clock.now() + 1000);
        await write(5);
      },
    ],
    [
      "put back to an earlier state that holds",
      async () => {
        const [head, start] = [genesisHead, genesisHead];
        const first = (await held.redis.lindex(runKeys.audit, 0)) ?? "";
        await held.redis.ltrim(runKeys.audit, 0, 0);
        await held.redis.hset(runKeys.auditState, "head", nextHead(head, first), "start", start);
      },
    ],
  ];

  it.each(loss)("is named when it was %s, and the file keeps the proof", async (_how, spoil) => {
    await write(3);
    await keep();
    const kept = await file.read();
    await spoil();
    expect(await reader.verify()).toMatchObject({ ok: true });
    expect(await anchored.verify()).toMatchObject({ ok: false, broken: { what: expect.stringMatching(/outside Redis/) } });
    await keep();
    await keep();
    expect(await file.read()).toEqual(kept);
    expect(logged.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });

  it("still holds after old records were dropped for their age", async () => {
    await write(3);
    await keep();
    clock.jumpTo(clock.now() + auditRetentionMs + 1000);
    await write(2);
    expect(await anchored.verify()).toMatchObject({ ok: true, entries: 2 });
    await keep();
    expect((await file.read())?.count).toBe(5);
    expect(logged.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("a run that has ended", () => {
  /** Ends the answered run as its worker does. */
  async function anEndedRun() {
    const run = await createAskingRun(held.redis);
    await createRunNotices(held.redis).wake(run.runId);
    const claimed = await run.ledger.claim(run.runId);
    if ("refused" in claimed) throw new Error(claimed.refused);
    const result = await run.ledger.append(claimed.lease, {
      entries: [{ kind: "finished", at: Date.now(), outcome: "succeeded", reason: "" }],
      head: claimed.head,
      state: "ended",
      claims: [],
      summary: {},
      release: {},
      recordedNotices: { stop: false, resolved: false },
    });
    expect(result.kind).toBe("ok");
    return run.runId;
  }
  let present: AuditReader;
  beforeAll(() => {
    present = createAuditReader(held.redis, () => Date.now());
  });
  const record = async () =>
    recordEndedRuns({ redis: held.redis, audit: createAuditLog(held.redis, createSystemClock()), now: () => Date.now() });

  it("is recorded with the head of its journal, once", async () => {
    const ids = [await anEndedRun(), await anEndedRun()];
    await record();
    await record();
    const page = await present.list({ limit: 10 });
    expect(page?.items.map(({ kind, subject, detail }) => [kind, subject, Object.keys(Object(detail["runs"])).sort()])).toEqual([
      ["runs_ended", "2 runs", ids.toSorted()],
    ]);
    expect(await held.redis.exists(runKeys.endedRuns)).toBe(0);
    expect(await present.verify()).toMatchObject({ ok: true, runs: 2 });
  });

  it("is named when it is removed as a whole, and is not missed once its time is over", async () => {
    const id = await anEndedRun();
    await record();
    await held.redis.del(runKeys.run(id), runKeys.journal(id));
    await held.redis.zrem(runKeys.runs, id);
    const broken = { run: id, what: expect.stringContaining("the run was removed") };
    expect(await present.verify()).toMatchObject({ ok: false, broken });
    expect(await present.verify(id)).toMatchObject({ ok: false, broken });
    const later = createAuditReader(held.redis, () => Date.now() + 31 * 24 * 3_600_000);
    expect(await later.verify()).toMatchObject({ ok: true });
  });

  it("is named when it is removed as a whole before its end was recorded", async () => {
    const id = await anEndedRun();
    await held.redis.del(runKeys.run(id), runKeys.journal(id));
    await held.redis.zrem(runKeys.runs, id);
    await record();
    expect(await present.verify()).toMatchObject({ ok: false, broken: { run: id, what: expect.stringContaining("the run was removed") } });
    const later = createAuditReader(held.redis, () => Date.now() + 31 * 24 * 3_600_000);
    expect(await later.verify()).toMatchObject({ ok: true });
  });

  it("is recorded from what an earlier version set down of it", async () => {
    const id = await anEndedRun();
    await held.redis.del(runKeys.endedRuns);
    await held.redis.rpush(runKeys.endedRuns, id);
    await record();
    expect(Object.keys(Object((await present.list({ limit: 1 }))?.items[0]?.detail["runs"]))).toEqual([id]);
  });

  it("is named when its journal is replaced by another that holds", async () => {
    const [id, other] = [await anEndedRun(), await anEndedRun()];
    await record();
    await held.redis.copy(runKeys.journal(other), runKeys.journal(id), "REPLACE");
    await held.redis.hset(runKeys.run(id), "head", (await held.redis.hget(runKeys.run(other), "head")) ?? "");
    expect(await present.verify()).toMatchObject({ ok: false, broken: { run: id, what: expect.stringContaining("replaced") } });
  });

  it("leaves no record when it is kept for a day only", async () => {
    const id = await anEndedRun();
    await held.redis.del(runKeys.endedRuns);
    await held.redis.rpush(runKeys.endedRuns, `${id} head ${Date.now() + 24 * 3_600_000}`);
    await record();
    expect((await present.list({ limit: 10 }))?.items).toEqual([]);
    expect(await held.redis.exists(runKeys.endedRuns)).toBe(0);
  });
});
