import { join } from "node:path";
import { defineScript } from "../../platform/redis/script.ts";

/** Notes that a process asked for a document; documented in its file. */
export const recordFollower = defineScript({
  path: join(import.meta.dirname, "lua", "follower-record.lua"),
  keys: ["followers"],
  args: ["instance", "sighting", "maxFollowers", "oldest", "retentionMs"],
});
