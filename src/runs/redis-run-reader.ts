import type { Redis } from "ioredis";
import type { JournalEntry, RunRecord } from "../../packages/sdk/src/wire/journal.ts";
import { type RunState, type RunSummary, runStates } from "../../packages/sdk/src/wire/runs.ts";
import type { Clock } from "../core/clock.ts";
import { parseRecord } from "../core/journal.ts";
import type { Page } from "../core/page.ts";
import { damagedSummary, parseSummary } from "../core/run.ts";
import { namedQualities } from "../core/run-qualities.ts";
import { available } from "../platform/redis/available.ts";
import { formatCursor, type IndexPlace, latestInstant, parseCursor } from "../platform/redis/index-cursor.ts";
import { isId, runKeys } from "../platform/redis/run-keys.ts";
import { resultList } from "../platform/redis/script.ts";
import type { PinnedSource } from "./pinned-runbooks.ts";
import { runScripts } from "./redis-scripts.ts";
import type { RunFilter, RunReader } from "./run-reader.ts";

/** How often a followed journal is looked at. */
const followEveryMs = 300;

/** What people read, over Redis. Reads only. */
export function createRunReader(redis: Redis, clock: Clock): RunReader {
  const summaryOf = async (id: string): Promise<RunSummary | undefined> => {
    const [text, step, state] = await redis.hmget(runKeys.run(id), "summary", "step", "state");
    return state === undefined || state === null ? undefined : toSummary({ id, text: text ?? "", step: step ?? "", state });
  };
  /** Up to the first entry that cannot be read: what comes behind it would be read in a wrong place. */
  const journalOf = async (id: string, from: number): Promise<{ readonly entries: readonly JournalEntry[]; readonly records: number }> => {
    const entries: JournalEntry[] = [];
    let records = 0;
    for (const text of await redis.lrange(runKeys.journal(id), from, -1)) {
      const record = readable(text, parseRecord);
      if (record === undefined) break;
      entries.push(...record);
      records += 1;
    }
    return { entries, records };
  };

  return {
    list: async (filter, page) => available(async () => list(filter, page)),
    get: async (id) => available(async () => get(id)),
    async *follow(id, afterIndex, signal) {
      if (!isId(id)) return;
      // A record may hold several entries, so where it begins is not said by their index.
      let [index, from] = [0, 0];
      while (!signal.aborted) {
        const { entries, records } = await journalOf(id, from);
        from += records;
        for (const entry of entries) {
          if (index > afterIndex) yield { index, entry };
          index += 1;
          if (entry.kind === "finished" && index > afterIndex) return;
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
    let place = parseCursor(cursor);
    if (place === undefined) return undefined;
    const items: RunSummary[] = [];
    // One more than is shown says whether there is another page. A state of an open run is judged after reading, so more are read at once.
    const count = isOpenState(filter.state) && filter.state !== "open" ? Math.max(limit + 1, 200) : limit + 1;
    for (let round = 0; round < maxRounds; round += 1) {
      const rows = await readRows(filter, place, count);
      for (const { id, score, summary } of rows) {
        if (items.length === limit) return { items, nextCursor: formatCursor(place) };
        place = { id, score };
        if (summary !== undefined && fits(summary, filter)) items.push(summary);
      }
      if (rows.length < count) return { items };
    }
    return { items, nextCursor: formatCursor(place) };
  }

  async function readRows({ since = 0, until = latestInstant, ...filter }: RunFilter, after: IndexPlace, count: number) {
    const values = resultList(
      await runScripts.listRuns.run(redis, {
        keys: {},
        moreKeys: indexesOf(filter),
        args: { since, latest: until, cursorScore: after.score, cursorId: after.id, count },
      }),
    ).map(String);
    return Array.from({ length: values.length / rowFields }, (_, row) => {
      const [id = "", score = "", text = "", step = "", state = ""] = values.slice(row * rowFields, (row + 1) * rowFields);
      return { id, score, summary: state === "" ? undefined : toSummary({ id, text, step, state }) };
    });
  }

  async function get(id: string): Promise<RunRecord | undefined> {
    if (!isId(id)) return undefined;
    const summary = await summaryOf(id);
    if (summary === undefined) return undefined;
    const [{ entries: journal }, source] = await Promise.all([journalOf(id, 0), redis.get(runKeys.runbook(summary.runbookSha))]);
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

/** Pages of the index that one page of the list may cost. */
const maxRounds = 10;

/** Values of a run in the reply of the script that lists them. */
const rowFields = 5;

interface StoredSummary {
  readonly id: string;
  readonly text: string;
  /** `""`: as the text says. */
  readonly step: string;
  readonly state: string;
}

/** The text is written when the run rests; what changes with each step stands beside it. */
function toSummary({ id, text, step, state }: StoredSummary): RunSummary {
  const summary = readable(text, parseSummary);
  const current = runStates.find((one) => one === state);
  if (summary === undefined || current === undefined || current === "damaged")
    return { ...damagedSummary(id), ...summary, state: "damaged" };
  return { ...summary, state: current, ...(step !== "" && { step }) };
}

function isOpenState(state: RunFilter["state"]): boolean {
  return state !== undefined && state !== "ended";
}

/** Every index that all runs of the filter are in. */
function indexesOf({ state, outcome, runbookId, target, alertName }: RunFilter): readonly string[] {
  const named = namedQualities({ runbookId, target, alertName });
  const qualities = [
    ...(runbookId === undefined ? ["listed"] : []),
    ...named,
    ...(state === "ended" ? ["ended"] : []),
    ...(outcome === undefined ? [] : [`outcome ${outcome}`]),
  ];
  return [...qualities.map((quality) => runKeys.runsBy(quality)), ...(isOpenState(state) ? [runKeys.openRuns] : [])];
}

/** Whether a run is what its indexes say: a run that a worker has just changed, or whose record cannot be read, may not be. */
function fits(summary: RunSummary, { state, outcome }: RunFilter): boolean {
  return (
    (state === undefined || (state === "open" ? summary.state !== "ended" : summary.state === state)) &&
    (outcome === undefined || summary.outcome === outcome)
  );
}
