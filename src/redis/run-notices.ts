import { join } from "node:path";
import type { Redis } from "ioredis";
import { available } from "./available.ts";
import { isId, runKeys } from "./run-keys.ts";
import { loadScript } from "./script.ts";

/** What became of a notice to a run. */
export type NoticeReply = "ok" | "ended" | "unknown_run";

/** Notices for the holder of a run; a sleeping run is woken. */
export interface RunNotices {
  stop(runId: string, by: string, reason: string): Promise<NoticeReply>;
  resolved(runId: string, why: string): Promise<NoticeReply>;
  /** Lets a sleeping run look again now. */
  wake(runId: string): Promise<NoticeReply>;
}

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
