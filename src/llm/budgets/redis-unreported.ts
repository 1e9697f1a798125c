import type { Redis } from "ioredis";
import type { Instant } from "../../core/clock.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import type { CountedUsage } from "../usage/usage-ledger.ts";
import type { BudgetTimes, UsageRetention } from "./budget-ledger.ts";
import { budgetScripts } from "./redis-scripts.ts";
import { unreportedRow } from "./spend-row.ts";
import { countedOfUnreported, eventOfUnreported, unreportedTurnSchema } from "./unreported-turn.ts";

const pageLength = 100;
const maxPages = 10;

/**
 * Writes turns that ended without a report into rows and events. Processes may do it at the same time: each turn is written by one of them. What cannot be read
 * is dropped, so that it does not hold the others back.
 */
export async function recordUnreported({
  redis,
  times,
  retention,
  now,
}: {
  readonly redis: Redis;
  readonly times: BudgetTimes;
  readonly retention: UsageRetention;
  readonly now: Instant;
}): Promise<readonly CountedUsage[]> {
  const recorded: CountedUsage[] = [];
  for (let page = 0; page < maxPages; page += 1) {
    const items = await redis.lrange(keys.usageUnreported, 0, pageLength - 1);
    for (const item of items) {
      const turn = readTurn(item);
      if (turn === undefined) {
        await redis.lrem(keys.usageUnreported, 1, item);
        continue;
      }
      const { lease, at, amount, replaced } = turn;
      const bucket = Math.floor(at / times.bucketMs);
      const row = JSON.stringify(unreportedRow);
      const isWritten = await budgetScripts.recordUnreported.run(redis, {
        keys: {
          unreported: keys.usageUnreported,
          rows: keys.rows(lease.budget, bucket),
          rowTickets: keys.rowTickets(lease.budget, bucket),
          usageEvents: keys.usageEvents,
          usageEventsKept: keys.usageEventsKept,
        },
        args: {
          item,
          row,
          cost: replaced ? -amount : amount,
          event: JSON.stringify(eventOfUnreported(turn)),
          eventAt: at,
          rowTicket: JSON.stringify([row, `${lease.ticketId}#${lease.attempt}`]),
          rowsTtlMs: times.retentionMs,
          now,
          eventsTtlMs: retention.retentionMs,
          eventsMaxBytes: retention.maxBytes,
        },
      });
      // Another process is at work on the list.
      if (isWritten !== 1) return recorded;
      recorded.push(countedOfUnreported(turn));
    }
    if (items.length < pageLength) break;
  }
  return recorded;
}

function readTurn(item: string) {
  try {
    return unreportedTurnSchema.safeParse(JSON.parse(item)).data;
  } catch {
    return undefined;
  }
}
