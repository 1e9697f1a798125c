import type { Simulate } from "./run-seeds.ts";
import { countDecisions, recordedSchedule } from "./schedule.ts";
import { simulate, type WorldResult } from "./simulated-world.ts";

/** A failing schedule made as small as it gets. */
export interface Shrunken {
  /** Without zeros at the end. */
  readonly decisions: readonly number[];
  /** How many of them are not 0. */
  readonly count: number;
  readonly result: WorldResult;
  readonly tries: number;
}

/**
 * Sets decisions to 0 for as long as a violation of the same rule is found: first the end of the list, then halves, quarters and so on, then each alone.
 * `maxTries` bounds the executions.
 */
export async function shrink(
  first: readonly number[],
  rule: string,
  options: { readonly maxTries?: number; readonly world?: Simulate } = {},
): Promise<Shrunken> {
  const { maxTries = 3000, world = simulate } = options;
  let best = trimmed(first);
  let result = await world(recordedSchedule(best));
  let tries = 1;
  const accepts = async (candidate: readonly number[]): Promise<boolean> => {
    if (tries >= maxTries) return false;
    tries += 1;
    const next = await world(recordedSchedule(candidate));
    if (next.violation?.rule !== rule) return false;
    best = trimmed(candidate);
    result = next;
    return true;
  };
  for (;;) {
    let isSmaller = false;
    for (let size = best.length; size >= 1; size = Math.floor(size / 2)) {
      for (let from = 0; from < best.length; from += size) {
        if (best.slice(from, from + size).every((value) => value === 0)) continue;
        const zeroed = best.map((value, index) => (index >= from && index < from + size ? 0 : value));
        if (await accepts(zeroed)) isSmaller = true;
      }
    }
    // An earlier fault is easier to read than a late one.
    for (let from = 0; from < best.length; from += 1) {
      if (best[from] !== 0 || from < setupDecisions) continue;
      if (await accepts([...best.slice(0, from), ...best.slice(from + 1)])) {
        isSmaller = true;
        from -= 1;
      }
    }
    if (!isSmaller) break;
  }
  return { decisions: best, count: countDecisions(best), result, tries };
}

/** What the first decisions set up is not moved. */
const setupDecisions = 3;

function trimmed(decisions: readonly number[]): readonly number[] {
  const last = decisions.findLastIndex((value) => value !== 0);
  return decisions.slice(0, last + 1);
}
