import type { Redis } from "ioredis";
import { injectTime } from "./injected-clock.ts";
import { compareStores } from "./replay-calls.ts";
import type { SeedRange } from "./run-parts.ts";
import { seededSchedule } from "./schedule.ts";
import { simulate } from "./simulated-world.ts";
import type { TimedCall } from "./store-calls.ts";

/** What came of a comparison. */
export interface Comparison {
  readonly worlds: number;
  /** Calls that both stores were given. */
  readonly calls: number;
  /** How many scripts have run. */
  readonly scripts: number;
  /** One for each world in which the stores differ. */
  readonly differences: readonly unknown[];
}

/**
 * Executes worlds and gives the calls of each, one after the other, to an empty journal in memory and to an empty Redis, until a world's store loses writes.
 * After each call the answers and everything durable are compared. `redis` is emptied for each world.
 */
export async function compareWorlds(redis: Redis, { from, count }: SeedRange): Promise<Comparison> {
  const timed = injectTime(redis);
  const differences: unknown[] = [];
  let calls = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const recorded: TimedCall[] = [];
    await simulate(seededSchedule(seed), { record: (call) => void recorded.push(call) });
    await redis.flushall();
    calls += recorded.length;
    const difference = await compareStores(recorded, timed);
    if (difference !== undefined) differences.push({ seed, ...difference });
  }
  return { worlds: count, calls, scripts: timed.scripts.size, differences };
}
