import { join } from "node:path";
import { defineScript } from "../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Adds one record to the audit log; documented in its file. */
export const appendRecord = defineScript({
  path: join(lua, "append-record.lua"),
  keys: ["records", "state"],
  args: ["expectedHead", "newHead", "record", "drop", "newStart", "expectedStart"],
});
