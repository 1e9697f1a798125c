import type { Redis } from "ioredis";
import { z } from "zod";
import { type Batch, batchProviders, batchStates } from "../../../packages/sdk/src/wire/batches.ts";
import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import type { Clock } from "../../core/clock.ts";
import { sha256 } from "../../core/json.ts";
import { available } from "../../platform/redis/available.ts";
import { pageOf } from "../../platform/redis/page-of.ts";
import { workloadKeys as keys, shareIdOf, unleasedField } from "../../platform/redis/workload-keys.ts";
import { readLimits } from "../budgets/batch-admission.ts";
import { stateCounts } from "../tickets/ticket.ts";
import type { AdaptedConcurrency, BatchStore, SubmitResult } from "./batch.ts";
import { batchScripts } from "./redis-scripts.ts";

/** Batches in Redis; the ledger's scripts read their gates and limits and add to their spend. Rejects with StoreUnavailable when Redis does not answer. */
export function createBatchStore({ redis, clock }: { readonly redis: Redis; readonly clock: Clock }): BatchStore {
  const get = async (id: string): Promise<Batch | undefined> => {
    const fields = await redis.hgetall(keys.batch(id));
    if (fields["id"] === undefined) return undefined;
    const unleased = await redis.hget(keys.shares(fields["budget"] ?? ""), unleasedField(shareIdOf(id)));
    return readBatch(fields, Number(unleased ?? 0));
  };
  const reservationKeys = (budget: string, id: string) => ({
    budget: keys.budget(budget),
    expiry: keys.expiry(budget),
    leases: keys.leases(budget),
    reserved: keys.reserved(budget),
    shares: keys.shares(budget),
    batch: keys.batch(id),
    activeBatches: keys.batchesActive,
  });
  return {
    create: (batch, draft) =>
      available(async () => {
        const now = clock.now();
        const fields = {
          budget: batch.budget,
          queue: batch.queue,
          ...(batch.provider !== undefined && { provider: batch.provider }),
          state: draft ? "draft" : "open",
          gate: "open",
          reason: "",
          by: "",
          limits: JSON.stringify(batch.limits),
          spent: 0,
          version: 1,
          created: now,
        };
        // A deadline is often said as a time from now on, and then differs every time.
        const hash = sha256(canonicalJson({ ...batch, limits: { ...batch.limits, deadlineAt: null } }));
        const result = await batchScripts.create.run(redis, {
          keys: { batch: keys.batch(batch.id), batches: keys.batchIndex },
          args: { id: batch.id, now, hash },
          moreArgs: Object.entries(fields).flat(),
        });
        return z.enum(["created", "same", "differs"]).parse(result);
      }),
    get: (id) => available(() => get(id)),
    list: ({ cursor, limit: size }) => available(() => pageOf(redis, { source: keys.batchIndex, cursor, limit: size }, get)),
    active: () => available(async () => (await redis.smembers(keys.batchesActive)).sort()),
    change: (id, change, expectedVersion) =>
      available(async () => {
        const { gate, state, reason, by, limits, adapted } = change;
        const fields = {
          ...(gate === undefined ? {} : { gate }),
          ...(state === undefined ? {} : { state }),
          ...(reason === undefined ? {} : { reason: reason.slice(0, 300) }),
          ...(by === undefined ? {} : { by: by.slice(0, 200) }),
          // Newly configured limits begin unadapted.
          ...(limits === undefined ? {} : { limits: JSON.stringify(limits), concurrency_now: limits.concurrency ?? "" }),
          ...(adapted === undefined ? {} : { adapted: JSON.stringify(adapted), concurrency_now: adapted.limit }),
        };
        const raisesVersion = gate !== undefined || state !== undefined || limits !== undefined;
        const result = await batchScripts.change.run(redis, {
          keys: { batch: keys.batch(id), activeBatches: keys.batchesActive },
          args: { expectedVersion: expectedVersion ?? "", isActive: state !== undefined, raisesVersion },
          moreArgs: Object.entries(fields).flat(),
        });
        return z.enum(["set", "conflict", "missing", "over"]).parse(result);
      }),
    submit: (id, estimate) =>
      available(async () => {
        const budget = await redis.hget(keys.batch(id), "budget");
        if (budget === null) return { kind: "missing" };
        const { tickets, p50MicroUsd, p90MicroUsd } = estimate;
        const result = await batchScripts.submit.run(redis, {
          keys: reservationKeys(budget, id),
          args: {
            now: clock.now(),
            share: shareIdOf(id),
            tickets,
            p90Cost: p90MicroUsd,
            costPerTicket: tickets === 0 ? 0 : Math.ceil(p90MicroUsd / tickets),
            p50Cost: p50MicroUsd,
          },
        });
        return readSubmitResult(z.array(z.string()).parse(result));
      }),
    nextToEnqueue: (id, upTo) =>
      available(async () => {
        const enqueued = Number((await redis.hget(keys.batch(id), "enqueued")) ?? 0);
        if (enqueued >= upTo) return [];
        return redis.zrange(keys.batchTickets(id), enqueued, String(upTo - 1));
      }),
    setEnqueued: (id, count) => available(async () => void (await redis.hset(keys.batch(id), "enqueued", count))),
    settle: (id) =>
      available(async () => {
        const budget = await redis.hget(keys.batch(id), "budget");
        if (budget === null) return false;
        const args = { now: clock.now(), share: shareIdOf(id) };
        return (await batchScripts.settle.run(redis, { keys: reservationKeys(budget, id), args })) === 1;
      }),
    costs: (kind) => available(async () => (await redis.lrange(keys.costs(kind), 0, -1)).map(Number)),
    endedBySlot: (id) =>
      available(async () => {
        const slots = await redis.hgetall(keys.batchEnded(id));
        return new Map(Object.entries(slots).map(([slot, count]) => [Number(slot), Number(count)]));
      }),
  };
}

function readSubmitResult([kind = "nothing", first = "", second, third]: readonly string[]): SubmitResult {
  switch (kind) {
    case "submitted":
    case "joined":
    case "missing":
    case "no_budget":
      return { kind };
    case "changed":
      return { kind, tickets: Number(first) };
    case "not_draft":
      return { kind, state: z.enum(batchStates).parse(first) };
    case "refused":
      return { kind, spentMicroUsd: Number(first), committedMicroUsd: Number(second), limitMicroUsd: Number(third) };
    default:
      throw new Error(`batch-submit.lua replied with ${kind}.`);
  }
}

/** Fields of a batch that count the tickets of a kind begin so. */
const kindPrefix = "kind:";

const adaptedSchema = z.object({
  limit: z.number(),
  cleanSince: z.number(),
  halvedAt: z.number().optional(),
  requests: z.number(),
  rateLimited: z.number(),
});

function readBatch(fields: { readonly [name: string]: string }, reservedMicroUsd: number): Batch {
  const text = (name: string) => fields[name] ?? "";
  const number = (name: string) => Number(fields[name] ?? 0);
  const limits = readLimits(text("limits"));
  const kinds = Object.entries(fields).flatMap(([name, count]) =>
    name.startsWith(kindPrefix) ? [[name.slice(kindPrefix.length), Number(count)] as const] : [],
  );
  const provider = batchProviders.find((name) => name === text("provider"));
  return {
    ...(provider !== undefined && { provider }),
    id: text("id"),
    budget: text("budget"),
    queue: text("queue"),
    state: z.enum(batchStates).catch("open").parse(text("state")),
    gate: text("gate") === "paused" ? "paused" : "open",
    reason: text("reason"),
    by: text("by"),
    limits,
    version: number("version"),
    concurrencyNow: text("concurrency_now") === "" ? limits.concurrency : number("concurrency_now"),
    spentMicroUsd: number("spent"),
    reservedMicroUsd,
    ...(fields["estimated_p90"] === undefined
      ? {}
      : { estimate: { p50MicroUsd: number("estimated_p50"), p90MicroUsd: number("estimated_p90"), tickets: number("estimated_tickets") } }),
    counts: stateCounts((state) => fields[`tickets:${state}`]),
    kinds: Object.fromEntries(kinds),
    begun: number("begun"),
    begunEnded: number("begun_ended"),
    pilotPassed: text("pilot_passed") === "1",
    enqueued: number("enqueued"),
    requests: number("requests"),
    rateLimited: number("rate_limited"),
    ...(fields["adapted"] === undefined ? {} : { adapted: readAdapted(fields["adapted"]) }),
    revision: number("revision"),
    createdAt: number("created"),
    ...(fields["submitted"] === undefined ? {} : { submittedAt: number("submitted") }),
  };
}

function readAdapted(stored: string): AdaptedConcurrency {
  const { halvedAt, ...state } = adaptedSchema.parse(JSON.parse(stored));
  return halvedAt === undefined ? state : { ...state, halvedAt };
}
