import type { Redis } from "ioredis";
import { chainText } from "../../src/core/chain.ts";
import { genesisHead } from "../../src/core/journal.ts";
import { startQualities } from "../../src/core/run-qualities.ts";
import { runKeys } from "../../src/platform/redis/run-keys.ts";

/** Which open runs to write. */
export interface OpenRuns {
  readonly from: number;
  readonly to: number;
  readonly runbookId: string;
  /** When they are due, in milliseconds since 1970. They are suspended until then, or queued when it is past. */
  readonly dueAt: number;
  readonly state: "suspended" | "queued";
}

/** Writes open runs as the scripts leave them, many at once; `redis-open-runs.int.test.ts` compares it with what the scripts write. */
export async function putOpenRuns(redis: Redis, { from, to, runbookId, dueAt, state }: OpenRuns): Promise<void> {
  for (let start = from; start < to; start += 1000) {
    const pipeline = redis.pipeline();
    for (let at = start; at < Math.min(to, start + 1000); at += 1) {
      const id = `run_${at}`;
      const summary = { id, runbookId, runbookSha: "sha", mode: "auto", state, source: "manual", acceptedAt: 1000 + at } as const;
      const request = { runbookId, runbookSha: "sha", mode: "auto", params: {}, source: "manual" } as const;
      const first = chainText(genesisHead, JSON.stringify({ kind: "accepted", at: 1000 + at, runId: id, request }));
      pipeline.hset(runKeys.run(id), {
        state,
        epoch: 0,
        stalls: 0,
        head: first.head,
        summary: JSON.stringify(summary),
        runbook: runbookId,
        ...(state === "suspended" && { wakeAt: dueAt }),
      });
      pipeline.rpush(runKeys.journal(id), first.text);
      pipeline.zadd(runKeys.due, dueAt, id);
      pipeline.zadd(runKeys.runs, 1000 + at, id);
      pipeline.sadd(runKeys.openRuns, id);
      const places = startQualities(summary).map((quality) => runKeys.runsBy(quality));
      for (const place of places) pipeline.zadd(place, 1000 + at, id);
      pipeline.hset(runKeys.runPlaces, id, places.join(" "));
    }
    pipeline.hincrby(runKeys.openCounts, runbookId, Math.min(to, start + 1000) - start);
    await pipeline.exec();
  }
}
