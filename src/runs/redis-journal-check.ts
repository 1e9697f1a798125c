import type { Redis } from "ioredis";
import type { AuditVerdict } from "../../packages/sdk/src/wire/audit.ts";
import { available } from "../platform/redis/available.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createOpenRunCounts } from "./redis-open-runs.ts";
import { createRunIndexes } from "./redis-run-indexes.ts";
import { runScripts } from "./redis-scripts.ts";

/** What may be out of order in the ledger; a metric label. All but a broken chain are mended when they are found. */
export const journalFaults = ["open_run_gone", "open_run_ended", "run_not_due", "lock_left", "open_count_wrong", "broken_chain"] as const;

/** One thing that was out of order. */
export interface JournalFault {
  readonly fault: (typeof journalFaults)[number];
  /** The run, or what is broken. */
  readonly about: string;
}

const faultOf: Readonly<Record<string, JournalFault["fault"]>> = {
  gone: "open_run_gone",
  ended: "open_run_ended",
  not_due: "run_not_due",
};

const runsAtOnce = 200;

/**
 * Looks whether every open run is there and somebody will look at it again, whether no ended run holds a lock, and whether every hash chain
 * verifies. Our own scripts leave none of these behind; what finds one is a damaged or restored Redis. Answers at once with nothing when
 * another process has looked within `everyMs`.
 */
export function createJournalCheck(
  redis: Redis,
  {
    audit,
    everyMs,
    name,
  }: { readonly audit: { verify(): Promise<AuditVerdict | undefined> }; readonly everyMs: number; readonly name: string },
): () => Promise<readonly JournalFault[]> {
  const checkOpenRuns = async (): Promise<JournalFault[]> => {
    const ids = [...new Set([...(await redis.smembers(runKeys.openRuns)), ...(await redis.zrange(runKeys.due, "0", "-1"))])];
    const results = await inParts(ids, async (id) =>
      runScripts.requeueOrphanedRun.run(redis, {
        keys: { run: runKeys.run(id), due: runKeys.due, openRuns: runKeys.openRuns, openCounts: runKeys.openCounts },
        args: { runId: id },
      }),
    );
    return results.flatMap(([about, result]) => {
      const fault = faultOf[String(result)];
      return fault === undefined ? [] : [{ fault, about }];
    });
  };

  const checkLocks = async (): Promise<JournalFault[]> => {
    const ids = await redis.zrange(runKeys.runs, "0", "-1");
    const results = await inParts(ids, async (id) =>
      runScripts.releaseLocks.run(redis, { keys: { run: runKeys.run(id), locks: runKeys.locks(id) }, args: { runId: id } }),
    );
    return results.flatMap(([about, freed]) => (Number(freed) > 0 ? [{ fault: "lock_left" as const, about }] : []));
  };

  return async () =>
    available(async () => {
      const isOurs = (await redis.set(runKeys.checked, name, "PX", Math.max(1, Math.round(everyMs * 0.9)), "NX")) === "OK";
      if (!isOurs) return [];
      const faults = [...(await checkOpenRuns()), ...(await checkLocks())];
      if (await createOpenRunCounts(redis).recount()) faults.push({ fault: "open_count_wrong", about: runKeys.openCounts });
      await createRunIndexes(redis).rebuild();
      const verdict = await audit.verify();
      const broken = verdict?.broken;
      return broken === undefined
        ? faults
        : [...faults, { fault: "broken_chain", about: `${broken.run ?? "audit"} ${broken.index}: ${broken.what}` }];
    });
}

async function inParts<Result>(ids: readonly string[], ask: (id: string) => Promise<Result>): Promise<(readonly [string, Result])[]> {
  const results: (readonly [string, Result])[] = [];
  for (let at = 0; at < ids.length; at += runsAtOnce) {
    results.push(...(await Promise.all(ids.slice(at, at + runsAtOnce).map(async (id) => [id, await ask(id)] as const))));
  }
  return results;
}
