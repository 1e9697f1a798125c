import { type GlobalsGuard, guardGlobals } from "./guard-globals.ts";
import { type Schedule, seededSchedule } from "./schedule.ts";
import { simulate, type WorldResult } from "./simulated-world.ts";

/** A world leaves the queue of the machine's events no room. */
const otherEvents = setImmediate;

/** Executes the world of a schedule. */
export type Simulate = (schedule: Schedule) => Promise<WorldResult>;

/** A seed whose world broke a rule. */
export interface FailedSeed {
  readonly seed: number;
  readonly result: WorldResult;
}

/** What became of a range of seeds. */
export interface SeedsResult {
  readonly count: number;
  readonly steps: number;
  readonly failed: readonly FailedSeed[];
}

/** The seeds from `from` on; ends early after `maxFailed` of them have failed. Any use of the machine's time or chance fails the seed. */
export async function runSeeds({
  from,
  count,
  maxFailed = 1,
  world = simulate,
}: {
  readonly from: number;
  readonly count: number;
  readonly maxFailed?: number;
  readonly world?: Simulate;
}): Promise<SeedsResult> {
  const failed: FailedSeed[] = [];
  let steps = 0;
  let done = 0;
  using guard = guardGlobals();
  for (let seed = from; seed < from + count && failed.length < maxFailed; seed += 1) {
    const result = await judged(seed, world, guard);
    await new Promise<void>((resolve) => otherEvents(resolve));
    steps += result.steps;
    done += 1;
    if (result.violation !== undefined) failed.push({ seed, result });
  }
  return { count: done, steps, failed };
}

/** The world of one seed. */
export async function runSeed(seed: number, world: Simulate = simulate): Promise<WorldResult> {
  using guard = guardGlobals();
  return await judged(seed, world, guard);
}

async function judged(seed: number, world: Simulate, guard: GlobalsGuard): Promise<WorldResult> {
  const result = await world(seededSchedule(seed));
  const [used] = guard.used.splice(0);
  return used === undefined ? result : { ...result, violation: { rule: "determinism", what: `${used} of the machine was used` } };
}
