import { join } from "node:path";
import { defineScript } from "../../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Replaces one flag; documented in its file. */
export const setFlag = defineScript({
  path: join(lua, "flag-set.lua"),
  keys: ["flags"],
  args: ["key", "expectedVersion", "newFlag", "maxFlags"],
});
