import type { Redis } from "ioredis";
import type { Clock } from "../core/clock.ts";
import type { GuardFacts } from "../guardrails/guardrail.ts";
import { parseEpisode } from "./accept-store.ts";
import { runKeys } from "./run-keys.ts";

const hourMs = 3_600_000;
const stormMs = 5 * 60_000;
/** Failures are forgotten a day after the last one, and when the action works. */
const keepFailuresMs = 24 * hourMs;
const failuresKept = 100;

/** What happened before, kept in Redis: it outlives every process, and nothing is permitted while it cannot be read. */
export interface GuardMemory {
  /** Rejects when Redis cannot be asked: then there is no verdict and no effect. */
  read(about: { readonly runbookId: string; readonly fingerprint?: string; readonly action: string }): Promise<GuardFacts>;
  /** An attempt failed, or nobody knows how it ended; `id` names it, so that telling twice counts once. */
  failed(action: string, id: string): Promise<void>;
  /** The action worked: what failed before does not count any more. */
  worked(action: string): Promise<void>;
}

/** Binds the memory to Redis. */
export function createGuardMemory(redis: Redis, clock: Pick<Clock, "now">): GuardMemory {
  return {
    async read({ runbookId, fingerprint, action }) {
      const now = clock.now();
      const [text, newEpisodes, rows] = await Promise.all([
        fingerprint === undefined ? null : redis.hget(runKeys.episode(runbookId, fingerprint), "e"),
        redis.zcount(runKeys.newEpisodes, now - stormMs, "+inf"),
        redis.zrange(runKeys.failures(action), "0", "-1", "WITHSCORES"),
      ]);
      const starts = text === null ? [] : parseEpisode(text).recentStarts;
      return {
        episodesInHour: starts.filter((start) => start > now - hourMs).length,
        newEpisodes,
        failures: rows.filter((_, index) => index % 2 === 1).map(Number),
      };
    },
    async failed(action, id) {
      const key = runKeys.failures(action);
      await redis
        .multi()
        .zadd(key, "NX", clock.now(), id)
        .zremrangebyrank(key, 0, -failuresKept - 1)
        .pexpire(key, keepFailuresMs)
        .exec();
    },
    async worked(action) {
      await redis.del(runKeys.failures(action));
    },
  };
}
