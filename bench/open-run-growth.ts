import type { Redis } from "ioredis";
import { createOpenAlerts } from "../src/alerts/redis-open-alerts.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { createGuardMemory } from "../src/guardrails/redis-store.ts";
import { runKeys } from "../src/platform/redis/run-keys.ts";
import { createOpenRunCounts } from "../src/runs/redis-open-runs.ts";
import { createRunReader } from "../src/runs/redis-run-reader.ts";
import { createRunJournal } from "../src/runs/redis-store.ts";
import { putOpenRuns } from "../test/builders/put-open-runs.ts";
import { commandsOf } from "../test/servers/commands-of.ts";

/** How many commands one call of a piece of work costs Redis, those inside scripts included, at each count of open runs. */
export interface GrowthLine {
  readonly work: string;
  /** How often it is done. */
  readonly when: string;
  readonly commands: readonly number[];
  /** Most commands at any count; absent for what reads every open run, and says so. */
  readonly max?: number;
}

const clock = createSystemClock();
const day = 86_400_000;

/** Everything that is done again and again about open runs. */
function worksOf(redis: Redis) {
  const journal = createRunJournal(redis, { worker: "bench/0", leaseMs: 6000, nonce: () => "n", clock });
  const reader = createRunReader(redis, clock);
  const counts = createOpenRunCounts(redis);
  const memory = createGuardMemory(redis, clock);
  const subject = { runbookId: "growth", fingerprint: "f", action: "raise", targets: ["bench/a"] };
  return [
    { work: "sweep of a worker", when: "each second", max: 5, run: async () => journal.due(50) },
    { work: "leases taken back", when: "start of a worker", max: 5, run: async () => journal.reclaimLeases() },
    { work: "open runs by runbook", when: "each scrape", max: 1, run: async () => journal.openRuns() },
    { work: "lateness of due runs", when: "each scrape", max: 1, run: async () => journal.dueLagSeconds() },
    { work: "comparison of the counts", when: "each hour", max: 2, run: async () => counts.repairIfWrong() },
    { work: "list of open runs, 20", when: "a person", max: 25, run: async () => reader.list({ state: "open" }, { limit: 20 }) },
    {
      work: "list of a runbook's open runs, 20",
      when: "a person",
      max: 25,
      run: async () => reader.list({ runbookId: "growth", state: "open" }, { limit: 20 }),
    },
    { work: "facts of a raising step with one target", when: "each such step", max: 8, run: async () => memory.read(subject) },
    { work: "ends of alerts that no webhook told", when: "each minute", run: async () => createOpenAlerts(redis)() },
  ];
}

/** Counts over an empty Redis, which has `sizes` open runs in turn. */
export async function countGrowth(redis: Redis, sizes: readonly number[]): Promise<readonly GrowthLine[]> {
  const works = worksOf(redis);
  const counted = works.map((): number[] => []);
  let from = 0;
  // The first sweep compares every wait with Redis' clock, and a script's text is sent once.
  for (const { run } of works) await run();
  for (const to of sizes) {
    await putOpenRuns(redis, { from, to, runbookId: "growth", dueAt: Date.now() + day, state: "suspended" });
    from = to;
    for (const [index, { run }] of works.entries()) {
      const commands = await commandsOf(redis, run);
      counted[index]?.push(Object.values(commands).reduce((sum, count) => sum + count, 0));
    }
  }
  return works.map(({ work, when, max }, index) => ({
    work,
    when,
    commands: counted[index] ?? [],
    ...(max !== undefined && { max }),
  }));
}

/** Claims that are made for each run that is won, when a number of workers sweep the same due runs at the same time. */
export async function countClaims(redis: Redis, workers: number, runs: number): Promise<number> {
  await redis.flushall();
  const journals = Array.from({ length: workers }, (_, index) =>
    createRunJournal(redis, { worker: `bench/${index}`, leaseMs: 60_000, nonce: () => `n${index}`, clock }),
  );
  await Promise.all(journals.map(async (journal) => journal.due(1)));
  await putOpenRuns(redis, { from: 0, to: runs, runbookId: "growth", dueAt: 1000, state: "queued" });
  let claims = 0;
  const won = new Set<string>();
  const work = async (journal: (typeof journals)[number]): Promise<void> => {
    for (let ids = await journal.due(50); ids.length > 0; ids = await journal.due(50)) {
      for (const id of ids) {
        claims += 1;
        if (!("refused" in (await journal.claim(id)))) won.add(id);
      }
    }
  };
  await Promise.all(journals.map(work));
  if (won.size !== runs || (await redis.zcount(runKeys.due, "-inf", Date.now())) > 0)
    throw new Error(`${won.size} of ${runs} runs were won`);
  return claims / won.size;
}
