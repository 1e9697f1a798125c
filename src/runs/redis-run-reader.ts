import type { Redis } from "ioredis";
import type { JournalEntry, RunRecord } from "../../packages/sdk/src/wire/journal.ts";
import { type RunState, type RunSummary, runStates } from "../../packages/sdk/src/wire/runs.ts";
import type { Clock } from "../core/clock.ts";
import { parseEntry } from "../core/journal.ts";
import type { Page } from "../core/page.ts";
import { damagedSummary, parseSummary, watchdogRunbook } from "../core/run.ts";
import { available } from "../platform/redis/available.ts";
import { isId, runKeys } from "../platform/redis/run-keys.ts";
import type { PinnedSource } from "./pinned-runbooks.ts";
import type { RunFilter, RunReader } from "./run-reader.ts";

/** How often a followed journal is looked at. */
const followEveryMs = 300;

/** What people read, over Redis. Reads only. */
export function createRunReader(redis: Redis, clock: Clock): RunReader {
  const summaryOf = async (id: string): Promise<RunSummary | undefined> => {
    const [text, state] = await redis.hmget(runKeys.run(id), "summary", "state");
    if (state === undefined || state === null) return undefined;
    const summary = readable(text ?? "", parseSummary);
    return summary === undefined || state === "damaged" ? { ...damagedSummary(id), ...summary, state: "damaged" } : summary;
  };
  /** Up to the first entry that cannot be read: what comes behind it would be read in a wrong place. */
  const journalOf = async (id: string, from: number): Promise<JournalEntry[]> => {
    const entries: JournalEntry[] = [];
    for (const text of await redis.lrange(runKeys.journal(id), from, -1)) {
      const entry = readable(text, parseEntry);
      if (entry === undefined) break;
      entries.push(entry);
    }
    return entries;
  };

  return {
    list: async (filter, page) => available(async () => list(filter, page)),
    get: async (id) => available(async () => get(id)),
    async *follow(id, afterIndex, signal) {
      if (!isId(id)) return;
      let index = afterIndex + 1;
      while (!signal.aborted) {
        const entries = await journalOf(id, index);
        for (const entry of entries) {
          yield { index, entry };
          index += 1;
          if (entry.kind === "finished") return;
        }
        if (entries.length === 0) {
          const state = await redis.hget(runKeys.run(id), "state");
          if (state === null || state === "ended" || state === "damaged") return;
          await clock.sleep(followEveryMs, signal).catch(() => undefined);
        }
      }
    },
  };

  async function list(
    filter: RunFilter,
    { cursor, limit }: { readonly cursor?: string; readonly limit: number },
  ): Promise<Page<RunSummary> | undefined> {
    const start = cursor === undefined ? 0 : Number(Buffer.from(cursor, "base64url").toString());
    if (!Number.isSafeInteger(start) || start < 0) return undefined;
    const items: RunSummary[] = [];
    let at = start;
    while (items.length < limit) {
      const ids = await redis.zrevrange(runKeys.runs, at, at + 99);
      if (ids.length === 0) return { items };
      for (const summary of await Promise.all(ids.map(summaryOf))) {
        at += 1;
        if (summary !== undefined && fits(summary, filter)) items.push(summary);
        if (items.length === limit) break;
      }
    }
    return { items, nextCursor: Buffer.from(String(at)).toString("base64url") };
  }

  async function get(id: string): Promise<RunRecord | undefined> {
    if (!isId(id)) return undefined;
    const summary = await summaryOf(id);
    if (summary === undefined) return undefined;
    const [journal, source] = await Promise.all([journalOf(id, 0), redis.get(runKeys.runbook(summary.runbookSha))]);
    return { summary, journal, ...(source !== null && { runbookSource: source }) };
  }
}

/** Where a run is, without its journal; undefined: there is no such run any more. Rejects with StoreUnavailable when Redis does not answer. */
export async function readRunState(redis: Redis, id: string): Promise<RunState | undefined> {
  const state = await available(() => redis.hget(runKeys.run(id), "state"));
  return runStates.find((one) => one === state);
}

/** The bytes that a run is pinned to. Rejects with StoreUnavailable when Redis does not answer. */
export async function readPinnedSource(redis: Redis, id: string): Promise<PinnedSource | undefined> {
  if (!isId(id)) return undefined;
  const text = await available(() => redis.hget(runKeys.run(id), "summary"));
  if (text === null) return undefined;
  const summary = readable(text, parseSummary);
  const source = summary === undefined ? null : await available(() => redis.get(runKeys.runbook(summary.runbookSha)));
  return { runbookId: summary?.runbookId ?? "", ...(source !== null && { source }) };
}

/** Whether a run waits for the answer of a person. Rejects with StoreUnavailable when Redis does not answer. */
export async function isWaitingForPerson(redis: Redis, id: string): Promise<boolean> {
  const [state, question] = await available(() => redis.hmget(runKeys.run(id), "state", "question"));
  return (state === "suspended" || state === "in_doubt") && typeof question === "string" && question !== "";
}

/** Undefined: the parser threw. */
function readable<Value>(text: string, parse: (text: string) => Value): Value | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function fits(summary: RunSummary, filter: RunFilter): boolean {
  return (
    (filter.state === undefined || summary.state === filter.state) &&
    (filter.outcome === undefined || summary.outcome === filter.outcome) &&
    (filter.runbookId === undefined ? summary.runbookId !== watchdogRunbook : summary.runbookId === filter.runbookId) &&
    (filter.target === undefined || summary.target === filter.target)
  );
}
