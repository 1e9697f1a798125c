import { join } from "node:path";
import { defineScript } from "../../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Scripts of tickets; each is documented in its file. */
export const ticketScripts = {
  add: defineScript({
    path: join(lua, "ticket-add.lua"),
    preludes: ["budget-queues"],
    keys: [
      "ticket",
      "tickets",
      "counts",
      "batch",
      "batchTickets",
      "budgetQueues",
      "budgetBatches",
      "openTickets",
      "unqueuedTickets",
      "referenceHolder",
      "budget",
    ],
    args: ["id", "now", "budgetId", "queue", "batchId", "definition", "estimate", "retentionMs", "hash", "kind", "reference"],
  }),
  write: defineScript({
    path: join(lua, "ticket-write.lua"),
    preludes: ["ticket-states", "ticket-writes"],
    keys: ["ticket", "openTickets", "unqueuedTickets", "counts", "batch", "ticketSpend", "batchEnded", "referenceHolder", "heartbeats"],
    args: ["holder", "now", "mode", "retentionMs", "newState", "slot"],
    moreArgs: "fields",
  }),
  begin: defineScript({
    path: join(lua, "ticket-begin.lua"),
    preludes: ["reservations", "rollouts", "budget-queues", "admissions", "ticket-states", "ticket-writes"],
    keys: [
      "ticket",
      "counts",
      "heartbeats",
      "budget",
      "expiry",
      "leases",
      "reserved",
      "minute",
      "ticketSpend",
      "batch",
      "log",
      "queues",
      "batches",
      "shares",
      "leasedBudgets",
    ],
    args: [
      "holder",
      "now",
      "slot",
      "retentionMs",
      "leaseId",
      "leaseHead",
      "leaseExpiresAt",
      "budgetId",
      "ticketId",
      "minuteTtlMs",
      "ticketTtlMs",
      "queue",
      "batchId",
      "logLength",
      "share",
      "minuteIndex",
    ],
  }),
  end: defineScript({
    path: join(lua, "ticket-end.lua"),
    preludes: ["reservations", "rollouts", "lease-releases", "ticket-states", "ticket-writes"],
    keys: [
      "ticket",
      "openTickets",
      "counts",
      "batch",
      "ticketSpend",
      "batchEnded",
      "referenceHolder",
      "heartbeats",
      "budget",
      "expiry",
      "leases",
      "reserved",
      "shares",
      "kindCosts",
    ],
    args: ["holder", "now", "slot", "retentionMs", "outcome", "leaseId", "ticketTtlMs", "share", "historyLength", "isUnused"],
    moreArgs: "fields",
  }),
  checkOpen: defineScript({
    path: join(lua, "ticket-check-open.lua"),
    preludes: ["ticket-states"],
    keys: ["ticket", "openTickets", "oldOpenTickets"],
    args: ["id"],
  }),
} as const;

/** What a write of a ticket does besides writing; see ticket-write.lua. */
export type TicketWriteMode = "update" | "claim" | "claim_if_idle" | "claim_for_recovery" | "activate_draft";
