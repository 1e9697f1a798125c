import type { Redis } from "ioredis";
import { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import type { RandomSource } from "../../core/random.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { judgeQueue, type QueueSnapshot } from "./judge-queue.ts";
import type { OpenTickets, TicketEnqueuer } from "./ticket.ts";
import { ticketJobKey, ticketQueueKey } from "./ticket-queue.ts";

/** A ticket that was written so long ago, in ms, and is in no queue has lost the process that was to put it there. */
const unqueuedAfterMs = 30_000;
/** Tickets that one look puts into the queue, and that one page of a repair reads. */
const pageSize = 500;
/** The lock of a repair is renewed with each page. A repair that did not help is not tried again before `repairAgainMs`. */
const lockMs = 60_000;
const repairAgainMs = 600_000;
/** Pause between two pages of a repair, in ms, because workers use the same Redis meanwhile. */
const pagePauseMs = 100;

/** What a repair came to. `complete`: nothing was missing. `busy`: another process repairs the queue, or has done so without success a moment ago. */
export type QueueRepair =
  | { readonly kind: "complete" | "busy" }
  | { readonly kind: "repaired"; readonly added: number; readonly missing: number };

/** Finds tickets that are in no queue. All members reject with StoreUnavailable when Redis does not answer. */
export interface QueueRecovery {
  /** Puts the tickets into their queue whose process ended between writing them and that. At most 500 of them; returns how many. */
  recover(queue: string): Promise<number>;
  /** Compares counts, and gives every open ticket a job when jobs were lost; one process at a time. Ends early, with what it did, when the signal is aborted. */
  repair(queue: string, signal: AbortSignal): Promise<QueueRepair>;
}

/** What a recovery of queues needs. */
export interface QueueRecoveryDeps {
  readonly redis: Redis;
  readonly tickets: OpenTickets;
  readonly enqueuer: TicketEnqueuer;
  readonly clock: Pick<Clock, "now" | "sleep">;
  readonly random: Pick<RandomSource, "token">;
}

const queuedOf = (ids: readonly string[]) => ids.map((id) => ({ id }));

const countsSchema = z.array(z.tuple([z.null(), z.number()])).length(8);

/** The number of commands of a recovery does not depend on the number of open tickets, unless jobs were lost. */
export function createQueueRecovery({ redis, tickets, enqueuer, clock, random }: QueueRecoveryDeps): QueueRecovery {
  /** At one moment, because a ticket changes its place between two. */
  const snapshotOf = async (queue: string): Promise<QueueSnapshot & { readonly old: number }> => {
    const replies = await redis
      .multi()
      .zcard(keys.openTickets(queue))
      .zcard(keys.unqueuedTickets(queue))
      .zcard(keys.oldOpenTickets)
      .llen(ticketQueueKey(queue, "wait"))
      .llen(ticketQueueKey(queue, "active"))
      .llen(ticketQueueKey(queue, "paused"))
      .zcard(ticketQueueKey(queue, "delayed"))
      .zcard(ticketQueueKey(queue, "prioritized"))
      .exec();
    const [open = 0, unqueued = 0, old = 0, ...places] = countsSchema.parse(replies).map(([, count]) => count);
    return { open, unqueued, old, jobs: places.reduce((sum, count) => sum + count, 0) };
  };

  const withoutJob = async (queue: string, ids: readonly string[]): Promise<readonly string[]> => {
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.exists(ticketJobKey(queue, id));
    const replies = (await pipeline.exec()) ?? [];
    return ids.filter((_, index) => replies[index]?.[1] === 0);
  };

  /** By score and never by rank: what ends meanwhile moves no ticket out of the pages to come. */
  const addMissing = async (queue: string, isOver: () => Promise<boolean>): Promise<number> => {
    let added = 0;
    for (let after: number | undefined; ; ) {
      const page = await tickets.open(queue, { ...(after !== undefined && { after }), limit: pageSize });
      const missing = await tickets.stillOpen(queue, await withoutJob(queue, page.ids));
      if (missing.length > 0) await enqueuer.enqueueAll(queuedOf(missing), queue);
      added += missing.length;
      if (page.next === undefined || (await isOver())) return added;
      after = page.next;
    }
  };

  return {
    recover: (queue) =>
      available(async () => {
        const ids = await tickets.unqueued(queue, clock.now() - unqueuedAfterMs, pageSize);
        if (ids.length > 0) await enqueuer.enqueueAll(queuedOf(ids), queue);
        return ids.length;
      }),
    repair: (queue, signal) =>
      available(async () => {
        const before = await snapshotOf(queue);
        if (before.old > 0) await tickets.moveOldIndex();
        if (judgeQueue(before.old > 0 ? await snapshotOf(queue) : before).kind === "complete") return { kind: "complete" };
        const lock = keys.queueRepair(queue);
        const token = random.token();
        if ((await redis.set(lock, token, "PX", lockMs, "NX")) !== "OK") return { kind: "busy" };
        const added = await addMissing(queue, async () => {
          await clock.sleep(pagePauseMs, signal).catch(() => undefined);
          if ((await redis.get(lock)) !== token) return true;
          await redis.pexpire(lock, lockMs);
          return signal.aborted;
        });
        const after = judgeQueue(await snapshotOf(queue));
        if ((await redis.get(lock)) === token) {
          if (after.kind === "complete" || signal.aborted) await redis.del(lock);
          else await redis.pexpire(lock, repairAgainMs);
        }
        return { kind: "repaired", added, missing: after.kind === "lost" ? after.missing : 0 };
      }),
  };
}
