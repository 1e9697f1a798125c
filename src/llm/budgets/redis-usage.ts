import type { Redis } from "ioredis";
import { z } from "zod";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { latestEvents } from "../usage/latest-events.ts";
import type { BudgetLedger, KeptUsage } from "./budget-ledger.ts";
import { budgetScripts } from "./redis-scripts.ts";

const pageLength = 2000;
/** Events of an older version that one script moves: a few milliseconds. */
const movedAtOnce = 500;

/** What usage events are read from. */
interface UsageReaderDeps {
  readonly redis: Redis;
  readonly clock: Pick<Clock, "now">;
  readonly retentionMs: number;
}

/** Reads usage events by time. Commands and bytes depend on the window that is asked for, not on what else is kept. */
export function createUsageReader({
  redis,
  clock,
  retentionMs,
}: UsageReaderDeps): Pick<BudgetLedger, "recentUsage" | "usageKept" | "usagePages"> {
  const keptOf = async (from: Instant, to: Instant): Promise<KeptUsage> => {
    const [count, [added = null, droppedTo = null]] = await Promise.all([
      redis.zcount(keys.usageEvents, from, `(${to}`),
      redis.hmget(keys.usageEventsKept, "added", "dropped_to"),
    ]);
    // Without a record of what was dropped there were no events for as long as they are kept.
    const complete = added === null ? from >= clock.now() - retentionMs : droppedTo === null || from > Number(droppedTo);
    return { count, complete };
  };
  return {
    recentUsage: (limit) =>
      available(async () => {
        await moveOldUsage(redis);
        const members = await redis.zrevrange(keys.usageEvents, 0, limit - 1);
        return latestEvents(members.toReversed().map((member) => readMember(member))).toReversed();
      }),
    usageKept: (from, to) =>
      available(async () => {
        await moveOldUsage(redis);
        return keptOf(from, to);
      }),
    async *usagePages(from, to) {
      await available(() => moveOldUsage(redis));
      yield* readPages(redis, from, to);
    },
  };
}

/**
 * Continues at the time of the last event; those of the same millisecond are read again and left out. They are yielded together, because an event and those that
 * take its place have the same time.
 */
async function* readPages(redis: Redis, from: Instant, to: Instant): AsyncGenerator<readonly UsageEvent[]> {
  let start = from;
  let atStart: readonly string[] = [];
  for (;;) {
    const limit = pageLength + atStart.length;
    const reply = await available(() => redis.zrangebyscore(keys.usageEvents, start, `(${to}`, "WITHSCORES", "LIMIT", 0, limit));
    const members = reply.filter((_, index) => index % 2 === 0);
    const read = new Set(atStart);
    const page = [...atStart, ...members.filter((member) => !read.has(member))];
    const last = Number(reply.at(-1));
    const isLastPage = members.length < limit;
    const countAtLast = members.filter((_, index) => Number(reply[index * 2 + 1]) === last).length;
    const end = isLastPage ? page.length : last === start ? 0 : page.length - countAtLast;
    if (end > 0) yield latestEvents(page.slice(0, end).map((member) => readMember(member)));
    if (isLastPage) return;
    atStart = page.slice(end);
    start = last;
  }
}

/** Moves what an older version wrote, also one that still runs beside this one. */
async function moveOldUsage(redis: Redis): Promise<void> {
  if ((await redis.exists(keys.oldUsage)) === 0) return;
  for (;;) {
    const moved = await budgetScripts.moveUsage.run(redis, {
      keys: { stream: keys.oldUsage, events: keys.usageEvents, kept: keys.usageEventsKept },
      args: { limit: movedAtOnce },
    });
    if (z.number().parse(moved) === 0) return;
  }
}

function readMember(member: string): UsageEvent {
  return JSON.parse(member.slice(member.indexOf(" ") + 1));
}
