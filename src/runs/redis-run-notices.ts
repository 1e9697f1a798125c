import { join } from "node:path";
import type { Redis } from "ioredis";
import { available } from "../platform/redis/available.ts";
import { isId, runKeys } from "../platform/redis/run-keys.ts";
import { loadScript } from "../platform/redis/script.ts";
import type { NoticeReply, RunNotices } from "./run-notices.ts";

/** Binds the notice script. */
export function createRunNotices(redis: Redis): RunNotices {
  const script = loadScript(join(import.meta.dirname, "lua/notice.lua"));
  const send = async (runId: string, kind: string, by: string, reason: string): Promise<NoticeReply> => {
    if (!isId(runId)) return "unknown_run";
    const reply = await available(async () => script.run(redis, [runKeys.run(runId), runKeys.due], [runId, kind, by, reason]));
    return reply === "ok" || reply === "ended" ? reply : "unknown_run";
  };
  return {
    stop: async (runId, by, reason) => send(runId, "stop", by, reason),
    resolved: async (runId, why) => send(runId, "resolved", "", why),
    wake: async (runId) => send(runId, "wake", "", ""),
  };
}
