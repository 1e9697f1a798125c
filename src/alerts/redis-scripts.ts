import { join } from "node:path";
import { defineScript } from "../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Stores one decision about an alert; documented in its file. */
export const accept = defineScript({
  path: join(lua, "accept.lua"),
  preludes: ["now-ms", "claims", "freeze", "run-indexes", "open-runs", "feed"],
  keys: [
    "episode",
    "run",
    "journal",
    "due",
    "runs",
    "openRun",
    "locks",
    "runbook",
    "openRuns",
    "freezes",
    "newEpisodes",
    "runPlaces",
    "runExpiry",
    "feed",
    "openCounts",
  ],
  moreKeys: "claimKeys",
  args: [
    "expectedVersion",
    "episodeJson",
    "episodeTtlMs",
    "createsRun",
    "runId",
    "acceptedEntry",
    "head",
    "summary",
    "resolvedReason",
    "joinedReason",
    "freezeQuery",
    "runIndexes",
    "runbookId",
    "claimCount",
  ],
  moreArgs: "claims",
});

/** Scripts of the decisions about alerts; each is documented in its file. */
export const alertScripts = {
  recordDecisions: defineScript({
    path: join(lua, "record-decisions.lua"),
    keys: ["entries", "repeats", "last", "decisions"],
    args: ["maxEntries", "maxPerClass", "retentionMs", "now", "countsRepeats"],
    moreArgs: "rows",
  }),
  listDecisions: defineScript({
    path: join(lua, "list-decisions.lua"),
    preludes: ["index-page"],
    keys: ["entries", "repeats"],
    moreKeys: "indexes",
    args: ["since", "latest", "cursorScore", "cursorId", "count"],
  }),
} as const;
