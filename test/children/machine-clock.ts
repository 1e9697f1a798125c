import { appendFileSync, readFileSync } from "node:fs";
import type { Clock } from "../../src/core/clock.ts";

const machineNow = Date.now;

/** How often a process looks at how far its host's clock is off; milliseconds. */
const readEveryMs = 25;

/** From now on `Date.now` of this process is off by as many milliseconds as the file says, as if its host's clock had been set. */
export function shiftHostClock(file: string): void {
  let shiftMs = 0;
  const read = (): void => {
    try {
      shiftMs = Number(readFileSync(file, "utf8"));
    } catch {
      // Not set yet.
    }
  };
  read();
  setInterval(read, readEveryMs).unref();
  Date.now = () => machineNow() + shiftMs;
}

/** Less is the exactness of a reading. */
const sameOffsetMs = 2;

/**
 * The clock, which writes down by how much it differs from the machine's whenever that changes: a line `process, machine's time, difference in ms`. What a
 * journal says of times can then be put in the order in which it happened.
 */
export function recordOffsets(clock: Clock, file: string, name: number): Clock {
  let last: number | undefined;
  return {
    ...clock,
    now() {
      const value = clock.now();
      const at = machineNow();
      const offset = value - at;
      if (last === undefined || Math.abs(offset - last) > sameOffsetMs) {
        last = offset;
        appendFileSync(file, `${name} ${at} ${offset}\n`);
      }
      return value;
    },
  };
}
