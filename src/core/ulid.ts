import type { Instant } from "./clock.ts";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Makes identifiers that sort by time; see {@link createUlids}. */
export type Ids = (prefix: string) => string;

/**
 * Ids such as `run_01JDC8…`: the prefix, then 48 bits of time and 80 random bits in Crockford's base 32.
 * https://github.com/ulid/spec
 */
export function createUlids(now: () => Instant, randomBytes: (count: number) => Uint8Array): Ids {
  return (prefix) => {
    let time = now();
    let timeText = "";
    for (let digit = 0; digit < 10; digit += 1) {
      timeText = (alphabet[time % 32] ?? "0") + timeText;
      time = Math.floor(time / 32);
    }
    // One byte per character: its low five bits are as random as the byte.
    const randomText = Array.from(randomBytes(16), (byte) => alphabet[byte & 31] ?? "0").join("");
    return `${prefix}_${timeText}${randomText}`;
  };
}
