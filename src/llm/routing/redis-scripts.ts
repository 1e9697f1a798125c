import { join } from "node:path";
import { defineScript } from "../../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Replaces one route; documented in its file. */
export const setRoute = defineScript({
  path: join(lua, "route-set.lua"),
  keys: ["routes"],
  args: ["id", "expectedVersion", "newRoute"],
});
