import { join } from "node:path";
import { defineScript } from "../../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Scripts of batches; each is documented in its file. */
export const batchScripts = {
  create: defineScript({
    path: join(lua, "batch-create.lua"),
    keys: ["batch", "batches"],
    args: ["id", "now", "hash"],
    moreArgs: "fields",
  }),
  change: defineScript({
    path: join(lua, "batch-change.lua"),
    keys: ["batch", "activeBatches"],
    args: ["expectedVersion", "isActive", "raisesVersion"],
    moreArgs: "fields",
  }),
  submit: defineScript({
    path: join(lua, "batch-submit.lua"),
    preludes: ["reservations"],
    keys: ["budget", "expiry", "leases", "reserved", "shares", "batch", "activeBatches"],
    args: ["now", "share", "tickets", "p90Cost", "costPerTicket", "p50Cost"],
  }),
  settle: defineScript({
    path: join(lua, "batch-settle.lua"),
    preludes: ["reservations"],
    keys: ["budget", "expiry", "leases", "reserved", "shares", "batch", "activeBatches"],
    args: ["now", "share"],
  }),
} as const;
