import type { Redis } from "ioredis";
import type { Clock, Instant } from "../../core/clock.ts";
import { primaryNode } from "./connection.ts";

/** A clock that tells Redis's time, so that every process agrees on when something is due, whatever its host's clock says or jumps to. */
export interface SharedClock extends Clock {
  /** Reads Redis's time once. When it cannot be read, the last reading goes on (at first: the host's clock). */
  readonly sync: () => Promise<void>;
}

/** A reading that took longer than this says too little about when it was taken, unless it proves that the clock is wrong. */
const maxReadingMs = 500;

/** Between two readings only the monotonic clock counts. `readTime`: milliseconds of Redis's TIME. */
export function createSharedClock(host: Clock, readTime: () => Promise<Instant>): SharedClock {
  let base = host.now();
  let at = host.monotonic();
  const now = (): Instant => Math.round(base + host.monotonic() - at);
  return {
    ...host,
    now,
    async sync() {
      const [asked, earliest] = [host.monotonic(), now()];
      const time = await readTime().catch(() => undefined);
      const took = host.monotonic() - asked;
      if (time === undefined) return;
      const mayBeRight = time >= earliest && time <= now();
      if (took > maxReadingMs && mayBeRight) return;
      // The reading was taken somewhere between question and answer.
      base = time;
      at = asked + took / 2;
    },
  };
}

/** Milliseconds of Redis's own clock. */
export async function readRedisTime(redis: Redis): Promise<Instant> {
  // Scripts read the clock of the node that owns the ledger.
  const node = primaryNode(redis);
  if (node === undefined) throw new Error("The owner of the ledger's slot is not known.");
  const [seconds, micros] = await node.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}
