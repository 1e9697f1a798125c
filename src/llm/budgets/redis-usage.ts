import type { Redis } from "ioredis";
import { z } from "zod";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { latestEvents } from "../usage/latest-events.ts";
import type { UsageWindow } from "./budget-ledger.ts";

const pageLength = 2000;

/**
 * The usage events of [from, to) that the stream still has, one for each id. The stream is in the order of receipt and a report may come days late, so all of it is read.
 * Complete: nothing was ever dropped from the stream, or what is oldest in it ended before `from`.
 */
export async function readUsage(redis: Redis, from: Instant, to: Instant): Promise<UsageWindow> {
  const events: UsageEvent[] = [];
  let oldest: Instant | undefined;
  let read = 0;
  for (let start = "-"; ; ) {
    const page = await redis.xrange(keys.usage, start, "+", "COUNT", pageLength);
    for (const [, fields] of page) {
      const event: UsageEvent = JSON.parse(fields[1] ?? "{}");
      oldest ??= event.at;
      if (event.at >= from && event.at < to) events.push(event);
    }
    read += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < pageLength) break;
    start = `(${last[0]}`;
  }
  const standing = latestEvents(events);
  if (read === 0 || oldest === undefined) return { events: standing, complete: true };
  return { events: standing, complete: oldest < from || !(await hasDropped(redis)) };
}

/** Whether the stream was ever trimmed: more was added than is there. */
async function hasDropped(redis: Redis): Promise<boolean> {
  const streamInfo = z.array(z.unknown()).parse(await redis.xinfo("STREAM", keys.usage));
  const valueOf = (name: string) => z.number().parse(streamInfo[streamInfo.indexOf(name) + 1]);
  return valueOf("entries-added") > valueOf("length");
}
