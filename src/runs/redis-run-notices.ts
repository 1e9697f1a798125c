import type { Redis } from "ioredis";
import { available } from "../platform/redis/available.ts";
import { isId, runKeys } from "../platform/redis/run-keys.ts";
import { runScripts } from "./redis-scripts.ts";
import type { NoticeResult, RunNotices } from "./run-notices.ts";

interface Notice {
  readonly runId: string;
  readonly kind: "stop" | "resolved" | "wake";
  readonly by?: string;
  readonly reason?: string;
}

/** Binds the notice script. */
export function createRunNotices(redis: Redis): RunNotices {
  const send = async ({ runId, kind, by = "", reason = "" }: Notice): Promise<NoticeResult> => {
    if (!isId(runId)) return "unknown_run";
    const keys = { run: runKeys.run(runId), due: runKeys.due, feed: runKeys.feed };
    const result = await available(async () => runScripts.notice.run(redis, { keys, args: { runId, kind, by, reason } }));
    return result === "ok" || result === "ended" ? result : "unknown_run";
  };
  return {
    stop: async (runId, by, reason) => send({ runId, kind: "stop", by, reason }),
    resolved: async (runId, why) => send({ runId, kind: "resolved", reason: why }),
    wake: async (runId) => send({ runId, kind: "wake" }),
  };
}
