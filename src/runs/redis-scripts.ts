import { join } from "node:path";
import { defineScript } from "../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Scripts of runs; each is documented in its file. */
export const runScripts = {
  claim: defineScript({
    path: join(lua, "claim.lua"),
    preludes: ["now-ms"],
    keys: ["run", "journal", "due"],
    args: ["runId", "worker", "leaseMs", "nonce"],
  }),
  renew: defineScript({
    path: join(lua, "renew.lua"),
    preludes: ["now-ms"],
    keys: ["run", "due"],
    args: ["runId", "token", "leaseMs"],
  }),
  append: defineScript({
    path: join(lua, "append.lua"),
    preludes: ["now-ms", "claims", "freeze"],
    keys: ["run", "journal", "due", "locks", "fencedCount", "question", "openQuestions", "openRuns", "freezes", "frozenRuns", "endedRuns"],
    moreKeys: "claimAndCooldownKeys",
    args: [
      "runId",
      "token",
      "expectedHead",
      "newHead",
      "leaseMs",
      "state",
      "summary",
      "release",
      "retentionMs",
      "questionJson",
      "questionId",
      "entryCount",
      "claimCount",
      "cooldownCount",
      "sawStop",
      "sawResolved",
      "sawJoined",
      "precedesEffect",
      "freezeQuery",
    ],
    moreArgs: "entriesClaimsCooldowns",
  }),
  workerSlot: defineScript({ path: join(lua, "worker-slot.lua"), keys: ["slot"], args: ["expected", "holder", "leaseMs"] }),
  notice: defineScript({
    path: join(lua, "notice.lua"),
    preludes: ["now-ms"],
    keys: ["run", "due"],
    args: ["runId", "kind", "by", "reason"],
  }),
  quarantineRun: defineScript({
    path: join(lua, "quarantine-run.lua"),
    keys: ["run", "due", "damagedRuns"],
    args: ["runId", "token"],
  }),
  abandonRun: defineScript({
    path: join(lua, "abandon-run.lua"),
    keys: ["run", "journal", "locks", "openRuns", "damagedRuns", "openQuestions"],
    args: ["runId", "summary", "retentionMs"],
  }),
  requeueOrphanedRun: defineScript({
    path: join(lua, "requeue-orphaned-run.lua"),
    preludes: ["now-ms"],
    keys: ["run", "due", "openRuns"],
    args: ["runId"],
  }),
  releaseLocks: defineScript({ path: join(lua, "release-locks.lua"), keys: ["run", "locks"], args: ["runId"] }),
} as const;
