import type { Redis } from "ioredis";
import { damagedSummary, parseSummary } from "../core/run.ts";
import { available } from "../platform/redis/available.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { runScripts } from "./redis-scripts.ts";

/** How many runs of each runbook are open. Calls reject with `StoreUnavailable` when Redis does not answer. */
export interface OpenRunCounts {
  /** Open runs by runbook, without reading a run. */
  read(): Promise<ReadonlyMap<string, number>>;
  /** Counts anew when the counts do not add up to the open runs, as after an upgrade. True: they were wrong. */
  repairIfWrong(): Promise<boolean>;
  /** Counts anew. True: the counts were wrong. */
  recount(): Promise<boolean>;
}

/** Over the counts that the scripts keep when a run begins and when it ends. */
export function createOpenRunCounts(redis: Redis): OpenRunCounts {
  const keys = { openRuns: runKeys.openRuns, openCounts: runKeys.openCounts };

  const read = async (): Promise<Map<string, number>> =>
    new Map(Object.entries(await redis.hgetall(runKeys.openCounts)).map(([runbookId, count]) => [runbookId, Number(count)]));

  const nameRuns = async (): Promise<void> => {
    let cursor = "0";
    do {
      const [next, ids] = await redis.sscan(runKeys.openRuns, cursor, "COUNT", 200);
      cursor = next;
      await Promise.all(ids.map(nameRun));
    } while (cursor !== "0");
  };

  const nameRun = async (id: string): Promise<void> => {
    const [runbookId, summary] = await redis.hmget(runKeys.run(id), "runbook", "summary");
    if (typeof runbookId === "string" || typeof summary !== "string") return;
    await runScripts.nameOpenRun.run(redis, { keys: { run: runKeys.run(id) }, args: { runbookId: runbookOf(id, summary) } });
  };

  const recount = async (): Promise<boolean> => {
    await nameRuns();
    return (await runScripts.recountOpenRuns.run(redis, { keys, args: {} })) === 1;
  };

  return {
    read: () => available(read),
    repairIfWrong: () =>
      available(async () => {
        const [counts, open] = await Promise.all([read(), redis.scard(runKeys.openRuns)]);
        const sum = [...counts.values()].reduce((total, count) => total + count, 0);
        return sum === open ? false : recount();
      }),
    recount: () => available(recount),
  };
}

function runbookOf(id: string, summary: string): string {
  try {
    return parseSummary(summary).runbookId;
  } catch {
    return damagedSummary(id).runbookId;
  }
}
