import { join } from "node:path";
import { defineScript } from "../../../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Scripts of submissions to providers; each is documented in its file. */
export const submissionScripts = {
  open: defineScript({
    path: join(lua, "provider-open.lua"),
    keys: ["openSubmissions", "revisions", "closedSubmissions"],
    args: ["key", "submission"],
  }),
  put: defineScript({
    path: join(lua, "provider-put.lua"),
    keys: ["openSubmissions", "revisions"],
    args: ["key", "expectedRevision", "submission"],
  }),
  close: defineScript({
    path: join(lua, "provider-close.lua"),
    keys: ["openSubmissions", "revisions", "closedSubmissions"],
    args: ["key", "expectedRevision", "closed"],
  }),
} as const;
