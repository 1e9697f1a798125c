import { join } from "node:path";
import { defineScript } from "../../platform/redis/script.ts";

/** Notes that a process asked for a document; documented in its file. */
export const noteFollower = defineScript({
  path: join(import.meta.dirname, "lua", "follower-note.lua"),
  keys: ["followers"],
  args: ["instance", "sighting", "maxFollowers", "oldest", "retentionMs"],
});
