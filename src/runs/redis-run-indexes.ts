import type { Redis } from "ioredis";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { damagedSummary, parseSummary } from "../core/run.ts";
import { endQualities, startQualities } from "../core/run-qualities.ts";
import { available } from "../platform/redis/available.ts";
import { runIndexes, runKeys } from "../platform/redis/run-keys.ts";
import { runScripts } from "./redis-scripts.ts";

const runsAtOnce = 200;

/** What makes the indexes of runs whole again. Calls reject with `StoreUnavailable` when Redis does not answer. */
export interface RunIndexes {
  /** Indexes every run that is in none when the indexes are gone, as after an upgrade. The result is how many were put in. */
  rebuildIfLost(): Promise<number>;
  /** Indexes every run that is in none, and removes those that are no longer kept. */
  rebuild(): Promise<number>;
}

/** Repairs over the list of all runs, which is never an index itself. */
export function createRunIndexes(redis: Redis): RunIndexes {
  const keys = { places: runKeys.runPlaces, expiry: runKeys.runExpiry };

  const indexRun = async (id: string, score: string): Promise<number> => {
    const [text, state] = await redis.hmget(runKeys.run(id), "summary", "state");
    if (state === undefined || state === null) return 0;
    const summary = readSummary(id, text ?? "");
    const qualities = [...startQualities(summary), ...(state === "ended" ? endQualities(summary) : [])];
    const args = { runId: id, time: score, indexes: runIndexes(qualities) };
    return Number(await runScripts.indexRun.run(redis, { keys: { run: runKeys.run(id), ...keys }, args }));
  };

  const rebuild = async (): Promise<number> => {
    let indexed = 0;
    const all = await redis.zrange(runKeys.runs, "0", "-1", "WITHSCORES");
    for (let from = 0; from < all.length; from += 2 * runsAtOnce) {
      const part = all.slice(from, from + 2 * runsAtOnce);
      const pairs = Array.from({ length: part.length / 2 }, (_, pair) => [part[2 * pair] ?? "", part[2 * pair + 1] ?? ""] as const);
      const listed = pairs.length === 0 ? [] : await redis.hmget(runKeys.runPlaces, ...pairs.map(([id]) => id));
      const missing = pairs.filter((_, pair) => listed[pair] === null);
      const results = await Promise.all(missing.map(async ([id, score]) => indexRun(id, score)));
      indexed += results.reduce((sum, result) => sum + result, 0);
    }
    while (Number(await runScripts.unlistExpiredRuns.run(redis, { keys, args: { count: runsAtOnce } })) === runsAtOnce);
    return indexed;
  };

  return {
    rebuild: () => available(rebuild),
    rebuildIfLost: () => available(async () => ((await redis.exists(runKeys.runPlaces)) === 1 ? 0 : rebuild())),
  };
}

function readSummary(id: string, text: string): RunSummary {
  try {
    return parseSummary(text);
  } catch {
    return damagedSummary(id);
  }
}
