import { join } from "node:path";
import { defineScript } from "../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Scripts of the outbox; each is documented in its file. */
export const outboxScripts = {
  put: defineScript({
    path: join(lua, "outbox-put.lua"),
    keys: ["row", "due", "waiting", "lanes", "written"],
    args: ["id", "content", "now", "lane"],
  }),
  claim: defineScript({ path: join(lua, "outbox-claim.lua"), keys: ["due", "written"], args: ["now", "leaseUntil"] }),
  settle: defineScript({
    path: join(lua, "outbox-settle.lua"),
    keys: ["row", "due", "waiting", "gaveUp", "lanes", "written"],
    args: ["id", "leaseUntil", "result", "at", "detail", "retentionDays", "lane", "now"],
  }),
} as const;
