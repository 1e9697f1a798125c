import type { Redis } from "ioredis";
import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import type { Batch, BatchStore } from "../workload/batch.ts";
import { available } from "./available.ts";
import { loadScript } from "./script.ts";
import { workloadKeys as keys } from "./workload-keys.ts";
import { pageOf, stateCounts } from "./workload-tickets.ts";

const limit = z.union([z.literal("").transform(() => null), z.coerce.number()]);

/** Batches in Redis; the ledger's scripts read their gates and add to their spend. Rejects with StoreUnavailable when Redis does not answer. */
export function createBatchStore({ redis, clock }: { readonly redis: Redis; readonly clock: Clock }): BatchStore {
  const create = loadScript("wl-batch-create");
  const get = async (id: string): Promise<Batch | undefined> => {
    const fields = await redis.hgetall(keys.batch(id));
    return fields["id"] === undefined ? undefined : readBatch(fields);
  };
  return {
    create: (batch) =>
      available(async () => {
        const now = clock.now();
        const fields = {
          budget: batch.budget,
          queue: batch.queue,
          gate: "open",
          reason: "",
          by: "",
          max_cost: batch.limits.maxCostMicroUsd ?? "",
          ticket_cap: batch.limits.perTicketCapMicroUsd ?? "",
          spent: 0,
          created: now,
        };
        const reply = await create.run(redis, [keys.batch(batch.id), keys.batchIndex], [batch.id, now, ...Object.entries(fields).flat()]);
        return reply === 1;
      }),
    get: (id) => available(() => get(id)),
    list: ({ cursor, limit: size }) => available(() => pageOf(redis, keys.batchIndex, cursor, size, get)),
    setGate: (id, gate, reason, by) =>
      available(async () => {
        const key = keys.batch(id);
        if ((await redis.exists(key)) === 0) return false;
        await redis.hset(key, { gate, reason: reason.slice(0, 300), by: by.slice(0, 200) });
        return true;
      }),
  };
}

function readBatch(fields: { readonly [name: string]: string }): Batch {
  const text = (name: string) => fields[name] ?? "";
  return {
    id: text("id"),
    budget: text("budget"),
    queue: text("queue"),
    gate: text("gate") === "paused" ? "paused" : "open",
    reason: text("reason"),
    by: text("by"),
    limits: { maxCostMicroUsd: limit.parse(text("max_cost")), perTicketCapMicroUsd: limit.parse(text("ticket_cap")) },
    spentMicroUsd: Number(text("spent")),
    counts: stateCounts((state) => fields[`n:${state}`]),
    createdAt: Number(text("created")),
  };
}
