import { join } from "node:path";
import { defineScript } from "../../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Scripts of rollouts; each is documented in its file. */
export const rolloutScripts = {
  create: defineScript({
    path: join(lua, "rollout-create.lua"),
    keys: ["rollouts", "live", "rollout"],
    args: ["id", "target", "newRollout", "maxLive", "salt", "deadlineMs", "lagMs"],
    moreArgs: "droppedIds",
  }),
  change: defineScript({
    path: join(lua, "rollout-change.lua"),
    preludes: ["rollouts"],
    keys: ["rollouts", "live", "rollout"],
    args: [
      "id",
      "expectedVersion",
      "newRollout",
      "target",
      "state",
      "step",
      "share",
      "largestShare",
      "deadlineMs",
      "lagMs",
      "now",
      "endTtlMs",
    ],
  }),
  failOverdue: defineScript({
    path: join(lua, "rollout-fail-overdue.lua"),
    preludes: ["rollouts"],
    keys: ["rollout"],
    args: ["now", "maxTickets"],
  }),
  reviseQuality: defineScript({
    path: join(lua, "rollout-revise-quality.lua"),
    preludes: ["rollouts"],
    keys: [],
    moreKeys: "rollouts",
    args: ["ticket", "quality", "now"],
  }),
} as const;
