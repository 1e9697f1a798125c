import type { Redis } from "ioredis";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { damagedSummary } from "../core/run.ts";
import { endQualities } from "../core/run-qualities.ts";
import { available } from "../platform/redis/available.ts";
import { endedRetentionMs, isId, runIndexes, runKeys } from "../platform/redis/run-keys.ts";
import { runScripts } from "./redis-scripts.ts";

/** Runs whose record in Redis cannot be read any more. No worker touches them; their target stays locked until a person gives them up. */
export interface DamagedRuns {
  count(): Promise<number>;
  /** False: the run is not damaged; nothing was changed. */
  giveUp(runId: string, by: string, reason: string): Promise<boolean>;
}

/** Over the set that quarantine-run.lua fills. */
export function createDamagedRuns(redis: Redis): DamagedRuns {
  return {
    count: async () => available(async () => redis.scard(runKeys.damaged)),
    async giveUp(runId, by, reason) {
      if (!isId(runId)) return false;
      const summary: RunSummary = {
        ...damagedSummary(runId),
        state: "ended",
        outcome: "failed",
        note: `Its record was damaged. Given up by ${by}: ${reason}`,
      };
      const keys = {
        run: runKeys.run(runId),
        journal: runKeys.journal(runId),
        locks: runKeys.locks(runId),
        openRuns: runKeys.openRuns,
        damagedRuns: runKeys.damaged,
        openQuestions: runKeys.questions,
        runs: runKeys.runs,
        runPlaces: runKeys.runPlaces,
        runExpiry: runKeys.runExpiry,
        feed: runKeys.feed,
        openCounts: runKeys.openCounts,
      };
      const args = {
        runId,
        summary: JSON.stringify(summary),
        retentionMs: endedRetentionMs,
        endedIndexes: runIndexes(endQualities(summary)),
      };
      return (await available(async () => runScripts.abandonRun.run(redis, { keys, args }))) === 1;
    },
  };
}
