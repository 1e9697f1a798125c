import type { Redis } from "ioredis";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import { createQuestionStore } from "../../src/approvals/redis-store.ts";
import type { Clock, Instant } from "../../src/core/clock.ts";
import { genesisHead, nextHead, parseRecord } from "../../src/core/journal.ts";
import { createFreezeStore } from "../../src/freeze/redis-store.ts";
import { runKeys } from "../../src/platform/redis/run-keys.ts";
import { createMemoryQuestions } from "../../src/rehearsal/memory-questions.ts";
import { createMemoryRunJournal, emptyRunState } from "../../src/rehearsal/memory-run-journal.ts";
import { createRunNotices } from "../../src/runs/redis-run-notices.ts";
import { createRunJournal } from "../../src/runs/redis-store.ts";
import type { AppendResult, ClaimedRun, ClaimRefusal, RunJournal } from "../../src/runs/store.ts";
import { acceptRun } from "../../test/builders/accept-run.ts";
import type { TimedRedis } from "./injected-clock.ts";
import type { TimedCall } from "./store-calls.ts";

/** A store that calls are replayed against. */
export interface ReplayedStore {
  /** What it answers, without the tokens and heads that differ from store to store. */
  apply(call: TimedCall): Promise<unknown>;
  /** What is durable: of each run everything that decides what becomes of it. */
  durable(runIds: readonly string[]): Promise<unknown>;
}

interface Difference {
  readonly after: TimedCall;
  readonly memory: unknown;
  readonly redis: unknown;
}

const leaseMs = 6000;

/** Replays the calls of a world against both, one after the other. Undefined: all answers and the durable state at the end are equal. */
export async function compareStores(calls: readonly TimedCall[], timed: TimedRedis): Promise<Difference | undefined> {
  const memory = memoryStore();
  const redis = redisStore(timed);
  const runIds = new Set<string>();
  for (const call of calls) {
    if (call.kind === "lost") break;
    if (call.kind === "create") runIds.add(call.runId);
    const answers = { memory: await memory.apply(call), redis: await redis.apply(call) };
    if (JSON.stringify(answers.memory) !== JSON.stringify(answers.redis)) return { after: call, ...answers };
    const states = { memory: await memory.durable([...runIds]), redis: await redis.durable([...runIds]) };
    if (JSON.stringify(states.memory) !== JSON.stringify(states.redis)) return { after: call, ...states };
  }
  return undefined;
}

function clockAt(now: () => Instant): Clock {
  const never = { stop: () => undefined };
  return {
    now,
    monotonic: () => 0,
    sleep: async () => undefined,
    after: () => never,
    every: () => never,
    timeout: () => new AbortController().signal,
  };
}

/** Names of tokens and heads of the world that was recorded, by what this store calls them. */
function createNames() {
  const names = new Map<string, string>();
  return {
    add: (recorded: string, own: string) => void names.set(recorded, own),
    of: (recorded: string) => names.get(recorded) ?? recorded,
  };
}

function claimAnswer(claimed: ClaimedRun | ClaimRefusal): unknown {
  if ("refused" in claimed) return claimed;
  const { lease, journal, stalls, notices, joined } = claimed;
  return { epoch: lease.epoch, journal, stalls, notices, joined };
}

function appendAnswer(result: AppendResult): unknown {
  if (result.kind !== "ok") return result;
  return { kind: result.kind, notices: result.notices };
}

/** The journal in memory. */
function memoryStore(): ReplayedStore {
  let now: Instant = 0;
  const state = emptyRunState();
  const journal = createMemoryRunJournal(
    clockAt(() => now),
    leaseMs,
    state,
  );
  const questions = createMemoryQuestions({ now: () => now }, state);
  const tokens = createNames();
  return {
    async apply(call) {
      now = call.at;
      switch (call.kind) {
        case "claim": {
          const claimed = await journal.claim(call.runId);
          if (!("refused" in claimed) && call.token !== undefined) tokens.add(call.token, claimed.lease.token);
          return claimAnswer(claimed);
        }
        case "renew":
          return journal.renew({ ...call.lease, token: tokens.of(call.lease.token) });
        case "append":
          return appendAnswer(await journal.append({ ...call.lease, token: tokens.of(call.lease.token) }, call.change));
        case "answer":
          return questions.record(call.write);
        case "create":
          return journal.create(call.runId, call.request);
        case "notice":
          return journal.notice(call.runId, call.notices);
        case "freeze":
          return journal.freeze(call.freeze);
        case "unfreeze":
          return journal.unfreeze(call.scope);
        case "expire":
          return journal.expireLease(call.runId);
        case "lost":
          return undefined;
      }
    },
    async durable(runIds) {
      const runs = runIds.map((runId) => {
        const row = state.rows.get(runId);
        if (row === undefined) return undefined;
        const { state: run, epoch, leaseUntil, wakeAt, woken, stalls, notices, journal: entries } = row;
        const isHeld = row.token !== undefined;
        return {
          run,
          epoch,
          leaseUntil: isHeld ? leaseUntil : 0,
          ...(run === "suspended" || run === "in_doubt" ? { wakeAt, woken } : {}),
          stalls,
          notices,
          entries,
        };
      });
      const locks = [...state.locks].map(([name, holder]) => `${name} ${holder}`).sort();
      return { runs, locks, questions: [...state.questions.keys()].sort(), frozen: [...state.frozenRuns].sort() };
    },
  };
}

/** The scripts in a real Redis. */
function redisStore({ redis, setTime }: TimedRedis): ReplayedStore {
  let now: Instant = 0;
  let nonce = 0;
  const clock = clockAt(() => now);
  const journal: RunJournal = createRunJournal(redis, { worker: "w", leaseMs, nonce: () => String((nonce += 1)), clock });
  const questions = createQuestionStore(redis, clock);
  const notices = createRunNotices(redis);
  const freezes = createFreezeStore(redis, { notices });
  const tokens = createNames();
  const heads = createNames();
  /** After each call: what this store calls the head that the recorded one had. */
  const follow = async (runId: string, recorded: string): Promise<void> =>
    heads.add(recorded, (await redis.hget(runKeys.run(runId), "head")) ?? "");
  return {
    async apply(call) {
      now = call.at;
      setTime(now);
      switch (call.kind) {
        case "create":
          await acceptRun(redis, { runId: call.runId, request: call.request, at: now });
          await follow(call.runId, headAfter(genesisHead, [{ at: now, kind: "accepted", runId: call.runId, request: call.request }]));
          return undefined;
        case "claim": {
          const claimed = await journal.claim(call.runId);
          if (!("refused" in claimed) && call.token !== undefined) tokens.add(call.token, claimed.lease.token);
          return claimAnswer(claimed);
        }
        case "renew":
          return journal.renew({ ...call.lease, token: tokens.of(call.lease.token) });
        case "append": {
          const { lease, change } = call;
          const head = heads.of(change.head);
          const result = await journal.append({ ...lease, token: tokens.of(lease.token) }, { ...change, head });
          if (result.kind === "ok") heads.add(headAfter(change.head, change.entries), result.head);
          return appendAnswer(result);
        }
        case "answer": {
          const { write } = call;
          const reply = await questions.record({ ...write, head: heads.of(write.head) });
          if (reply === "ok") await follow(write.runId, headAfter(write.head, [answeredEntry(call)]));
          return reply;
        }
        case "notice":
          if (call.notices.stop !== undefined) await notices.stop(call.runId, call.notices.stop.by, call.notices.stop.reason);
          if (call.notices.resolved !== undefined) await notices.resolved(call.runId, call.notices.resolved);
          return undefined;
        case "freeze":
          return freezes.put(call.freeze);
        case "unfreeze":
          return void (await freezes.remove(call.scope));
        case "expire":
          return void (await redis.hset(runKeys.run(call.runId), { leaseUntil: 0 }));
        case "lost":
          return undefined;
      }
    },
    async durable(runIds) {
      return durableInRedis(redis, runIds);
    },
  };
}

async function durableInRedis(redis: Redis, runIds: readonly string[]): Promise<unknown> {
  const runs = await Promise.all(
    runIds.map(async (runId) => {
      const [row, texts] = await Promise.all([redis.hgetall(runKeys.run(runId)), redis.lrange(runKeys.journal(runId), 0, -1)]);
      const { state: run, stopBy, stopReason, resolved } = row;
      const isHeld = row["token"] !== undefined;
      return {
        run,
        epoch: Number(row["epoch"] ?? 0),
        leaseUntil: isHeld ? Number(row["leaseUntil"] ?? 0) : 0,
        ...(run === "suspended" || run === "in_doubt" ? { wakeAt: Number(row["wakeAt"]), woken: row["woken"] === "1" } : {}),
        stalls: Number(row["stalls"] ?? 0),
        notices: {
          ...(stopBy !== undefined && { stop: { by: stopBy, reason: stopReason ?? "" } }),
          ...(resolved !== undefined && { resolved }),
        },
        entries: texts.flatMap((text) => parseRecord(text)),
      };
    }),
  );
  const names = await Promise.all(runIds.map(async (runId) => redis.smembers(runKeys.locks(runId))));
  const prefix = runKeys.claim({ lock: "" });
  const locks = names
    .flatMap((list, index) => list.flatMap((name) => (name.startsWith(prefix) ? [`${name.slice(prefix.length)} ${runIds[index]}`] : [])))
    .sort();
  const [questions, frozen] = await Promise.all([redis.zrange(runKeys.questions, "0", "-1"), redis.smembers(runKeys.frozenRuns)]);
  return { runs, locks, questions: questions.sort(), frozen: frozen.sort() };
}

function answeredEntry({ write }: TimedCall & { readonly kind: "answer" }): JournalEntry {
  const { request, question, consents } = write;
  const { answer, by, reason, at } = request;
  return { at, kind: "answered", questionId: question.id, answer: { answer, by, reason, at, ...(consents.length > 0 && { consents }) } };
}

/** The head of the journal in memory, which the recorded world has used. */
function headAfter(head: string, entries: readonly JournalEntry[]): string {
  return entries.reduce((before, entry) => nextHead(before, JSON.stringify(entry)), head);
}
