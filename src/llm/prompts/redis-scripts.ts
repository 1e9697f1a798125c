import { join } from "node:path";
import { defineScript } from "../../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Scripts of prompts; each is documented in its file. */
export const promptScripts = {
  createVersion: defineScript({
    path: join(lua, "version-create.lua"),
    keys: ["prompt", "versions", "prompts"],
    args: ["name", "layoutHash", "versionJson"],
  }),
  moveLabel: defineScript({
    path: join(lua, "label-move.lua"),
    keys: ["prompt", "versions"],
    args: ["label", "expectedVersion", "newVersion"],
  }),
  setHoneytoken: defineScript({
    path: join(lua, "honeytoken-set.lua"),
    keys: ["honeytokens"],
    args: ["prompt", "newToken", "rotate", "maxTokens"],
  }),
  setRollout: defineScript({ path: join(lua, "rollout-set.lua"), keys: ["rollout"], args: ["expected", "newRollout"] }),
} as const;
