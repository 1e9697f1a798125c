import type { Redis } from "ioredis";
import type { Alert } from "../../packages/sdk/src/wire/alerts.ts";
import { parseRecord } from "../core/journal.ts";
import { available } from "../platform/redis/available.ts";
import { runKeys } from "../platform/redis/run-keys.ts";

/** The alert that an open run was started for. */
export interface OpenAlert {
  readonly runId: string;
  readonly runbookId: string;
  readonly alert: Alert;
}

/** Runs that are asked about in one round trip. */
const atOnce = 500;

/** Alerts of an Alertmanager for which a run is open that has not heard of their end. Reads only. */
export function createOpenAlerts(redis: Redis): () => Promise<readonly OpenAlert[]> {
  const read = async (runId: string): Promise<OpenAlert | undefined> => {
    const [resolved, text] = await Promise.all([redis.hexists(runKeys.run(runId), "resolved"), redis.lindex(runKeys.journal(runId), 0)]);
    if (resolved === 1 || text === null) return undefined;
    const [entry] = parseRecord(text);
    if (entry?.kind !== "accepted") return undefined;
    const { alert, source, runbookId } = entry.request;
    const isOurs = alert !== undefined && alert.sender === undefined && (source === "webhook" || source === "poll");
    return isOurs ? { runId, runbookId, alert } : undefined;
  };
  return async () =>
    available(async () => {
      const ids = await redis.smembers(runKeys.openRuns);
      const open: OpenAlert[] = [];
      for (let from = 0; from < ids.length; from += atOnce) {
        for (const alert of await Promise.all(ids.slice(from, from + atOnce).map(read))) if (alert !== undefined) open.push(alert);
      }
      return open;
    });
}
