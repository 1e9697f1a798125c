import { join } from "node:path";
import { defineScript } from "../../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** What is written of security findings; each script is documented in its file. */
export const findingScripts = {
  report: defineScript({
    path: join(lua, "finding-report.lua"),
    keys: ["finding", "history", "openIndex", "endedIndex", "counts"],
    args: ["now", "updated", "ended", "content", "report", "state", "label", "rank", "count", "maxOpen", "maxEvents"],
  }),
  judge: defineScript({
    path: join(lua, "finding-judge.lua"),
    keys: ["finding", "history", "openIndex", "counts"],
    args: ["now", "content", "verdict", "class", "rank", "label", "count", "run", "maxEvents"],
  }),
  prune: defineScript({
    path: join(lua, "finding-prune.lua"),
    keys: ["endedIndex"],
    moreKeys: "findings",
    args: [],
    moreArgs: "members",
  }),
};
