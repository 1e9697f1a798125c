import type { Redis } from "ioredis";
import { parseEpisode } from "../alerts/episode.ts";
import { canonicalTarget } from "../core/canonical-target.ts";
import type { Clock } from "../core/clock.ts";
import { dayMs, hourMs } from "../core/duration.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import type { GuardFacts } from "./guardrail.ts";
import { changeLogOf, parseChange } from "./target-change.ts";

const stormMs = 5 * 60_000;
/** Failures are forgotten a day after the last one, and when the action works. */
const failureRetentionMs = dayMs;
const maxFailures = 100;

/** What happened before, kept in Redis: it outlives every process, and nothing is permitted while it cannot be read. */
export interface GuardMemory {
  /** Rejects when Redis cannot be asked: then there is no verdict and no effect. */
  read(about: GuardSubject): Promise<Omit<GuardFacts, "fleet">>;
  /** An attempt failed, or nobody knows how it ended; `id` names it, so that telling twice counts once. */
  recordFailure(action: string, targets: readonly string[], id: string): Promise<void>;
  /** The action worked on these targets: what failed before does not count any more. */
  recordSuccess(action: string, targets: readonly string[]): Promise<void>;
  /** A run of the runbook ended: without having helped, or having helped. */
  recordOutcome(runbookId: string, recordOutcome: boolean): Promise<void>;
}

/** What a verdict is about. */
export interface GuardSubject {
  readonly runbookId: string;
  readonly fingerprint?: string;
  readonly action: string;
  readonly targets: readonly string[];
}

/** Binds the memory to Redis. */
export function createGuardMemory(redis: Redis, clock: Pick<Clock, "now">): GuardMemory {
  return {
    async read({ runbookId, fingerprint, action, targets }) {
      const now = clock.now();
      const [text, newEpisodes, failures, targetFailures, ineffective, changes] = await Promise.all([
        fingerprint === undefined ? null : redis.hget(runKeys.episode(runbookId, fingerprint), "episode"),
        redis.zcount(runKeys.newEpisodes, now - stormMs, "+inf"),
        failuresOf(action),
        Promise.all(targets.map(async (target) => [target, await failuresOf(onTarget(action, target))] as const)),
        redis.get(runKeys.ineffective(runbookId)),
        Promise.all(targets.map(async (target) => redis.lrange(runKeys.log(changeLogOf(target)), 0, -1))),
      ]);
      const starts = text === null ? [] : parseEpisode(text).recentStarts;
      return {
        episodesInHour: starts.filter((start) => start > now - hourMs).length,
        newEpisodes,
        failures,
        targetFailures: Object.fromEntries(targetFailures),
        ineffectiveRuns: Number(ineffective ?? 0),
        changes: changes
          .flat()
          .flatMap((entry) => parseChange(entry) ?? [])
          .toSorted((a, b) => a.at - b.at),
      };
    },
    async recordFailure(action, targets, id) {
      const writes = redis.multi();
      for (const key of [action, ...targets.map((target) => onTarget(action, target))].map(runKeys.failures)) {
        writes
          .zadd(key, "NX", clock.now(), id)
          .zremrangebyrank(key, 0, -maxFailures - 1)
          .pexpire(key, failureRetentionMs);
      }
      await writes.exec();
    },
    async recordSuccess(action, targets) {
      await redis.del(...[action, ...targets.map((target) => onTarget(action, target))].map(runKeys.failures));
    },
    async recordOutcome(runbookId, helped) {
      const key = runKeys.ineffective(runbookId);
      if (helped) await redis.del(key);
      else await redis.multi().incr(key).pexpire(key, failureRetentionMs).exec();
    },
  };

  async function failuresOf(what: string): Promise<readonly number[]> {
    const rows = await redis.zrange(runKeys.failures(what), "0", "-1", "WITHSCORES");
    return rows.filter((_, index) => index % 2 === 1).map(Number);
  }
}

function onTarget(action: string, target: string): string {
  return `${action} on ${canonicalTarget(target)}`;
}
