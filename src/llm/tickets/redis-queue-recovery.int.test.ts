import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { newTicketSchema } from "../../../packages/sdk/src/wire/tickets.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { countCommands } from "../../../test/servers/count-commands.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createSystemRandom } from "../../core/random.ts";
import { workloadKeys } from "../../platform/redis/workload-keys.ts";
import { createQueueRecovery } from "./redis-queue-recovery.ts";
import { createTicketStore } from "./redis-store.ts";
import type { OpenTickets } from "./ticket.ts";
import { createTicketQueue, type TicketQueue, ticketJobKey, ticketQueueKey } from "./ticket-queue.ts";

const held = holdRedis(["--appendfsync", "no"]);
let queue: TicketQueue;

beforeEach(async () => held.redis.flushall());
afterEach(async () => queue.close());

function open(change: (store: OpenTickets) => Partial<OpenTickets> = () => ({})) {
  const { redis } = held;
  const clock = createFakeClock();
  const store = createTicketStore({ redis, clock });
  queue = createTicketQueue(redis, store, (error) => {
    throw error;
  });
  // The pauses between pages are over at once.
  const hurried = { now: () => clock.now(), sleep: async () => undefined };
  const tickets = { ...store, ...change(store) };
  const recoveryOf = () => createQueueRecovery({ redis, tickets, enqueuer: queue, clock: hurried, random: createSystemRandom() });
  const add = async (count: number) => {
    const ids = Array.from({ length: count }, (_, index) => `T-${index}`);
    for (let from = 0; from < count; from += 100) {
      await store.addAll(ids.slice(from, from + 100).map((id) => newTicketSchema.parse({ id, budget: "checkout" })));
      await clock.advance(1);
    }
    return ids;
  };
  const loseJobs = async () => {
    const keys = await redis.keys(`${ticketQueueKey("default", "")}*`);
    if (keys.length > 0) await redis.del(...keys);
  };
  const withoutJob = async (ids: readonly string[]) => {
    const present = await Promise.all(ids.map(async (id) => redis.exists(ticketJobKey("default", id))));
    return ids.filter((_, index) => present[index] === 0);
  };
  return { clock, store, recovery: recoveryOf(), recoveryOf, add, loseJobs, withoutJob };
}

const { signal } = new AbortController();
const queued = (ids: readonly string[]) => ids.map((id) => ({ id }));

describe("recovering a queue", () => {
  it("puts tickets into it that were written 30 s ago and are in no queue, and leaves younger ones to their process", async () => {
    const { clock, recovery, add, withoutJob, store } = open();
    const ids = await add(3);
    expect(await recovery.recover("default")).toBe(0);
    await clock.advance(30_000);
    await store.add(newTicketSchema.parse({ id: "young", budget: "checkout" }));
    expect(await recovery.recover("default")).toBe(3);
    expect(await withoutJob([...ids, "young"])).toEqual(["young"]);
    expect(await recovery.recover("default")).toBe(0);
    expect(await recovery.repair("default", signal)).toEqual({ kind: "complete" });
  });

  it("gives every open ticket a job after a loss, also when tickets end between its pages", async () => {
    const { recovery, store, add, loseJobs, withoutJob } = open((plain) => {
      let pages = 0;
      return {
        async open(name, page) {
          // In the old way, by rank, the 500 that end here moved 500 others out of the second page.
          if ((pages += 1) === 2) await Promise.all(ids.slice(0, 500).map(async (id) => store.cancel(id, "not needed")));
          return plain.open(name, page);
        },
      };
    });
    const ids = await add(1200);
    await queue.enqueueAll(queued(ids), "default");
    await loseJobs();
    expect(await recovery.repair("default", signal)).toEqual({ kind: "repaired", added: 1200, missing: 0 });
    expect(await withoutJob(ids.slice(500))).toEqual([]);
    expect((await store.open("default", { limit: 2000 })).ids.toSorted()).toEqual(ids.slice(500).toSorted());
    expect(await recovery.repair("default", signal)).toEqual({ kind: "complete" });
  });

  it("leaves a repair to the process that has begun it, and does not repeat soon one that did not help", async () => {
    const { add, loseJobs, recoveryOf } = open((store) => ({ stillOpen: async () => store.stillOpen("default", []) }));
    await queue.enqueueAll(queued(await add(3)), "default");
    await loseJobs();
    const both = await Promise.all([recoveryOf().repair("default", signal), recoveryOf().repair("default", signal)]);
    expect(both.map(({ kind }) => kind).toSorted()).toEqual(["busy", "repaired"]);
    expect(await recoveryOf().repair("default", signal)).toEqual({ kind: "busy" });
    const ttl = await held.redis.pttl(workloadKeys.queueRepair("default"));
    expect(ttl).toBeGreaterThan(60_000);
    expect(ttl).toBeLessThanOrEqual(600_000);
  });

  it("forgets tickets that have ended elsewhere, and sorts those that an older version wrote by their queues", async () => {
    const { recovery, add, store, withoutJob } = open();
    const [first = "", second = "", third = ""] = await add(3);
    await queue.enqueueAll(queued([first, second, third]), "default");
    const { redis } = held;
    await redis.del(workloadKeys.openTickets("default"));
    await redis.zadd(workloadKeys.oldOpenTickets, 1, first, 1, second, 1, third, 1, "gone");
    await store.cancel(third, "not needed");
    await redis.del(ticketJobKey("default", first), ticketQueueKey("default", "wait"));
    expect(await recovery.repair("default", signal)).toEqual({ kind: "repaired", added: 1, missing: 1 });
    expect(await redis.exists(workloadKeys.oldOpenTickets)).toBe(0);
    expect((await store.open("default", { limit: 10 })).ids).toEqual([first, second]);
    expect(await withoutJob([first, second])).toEqual([]);
  });

  it("costs the same number of commands with 1,000 and with 100,000 open tickets", async () => {
    const { recovery } = open();
    const look = async () => {
      const { commands } = await countCommands(held.redis, async () => {
        expect(await recovery.recover("default")).toBe(0);
        expect(await recovery.repair("default", signal)).toEqual({ kind: "complete" });
      });
      return commands.calls;
    };
    const fill = async (from: number, to: number) => {
      for (let start = from; start < to; start += 1000) {
        const ids = Array.from({ length: 1000 }, (_, index) => `T-${start + index}`);
        await held.redis.zadd(workloadKeys.openTickets("default"), ...ids.flatMap((id) => [start, id]));
        await held.redis.rpush(ticketQueueKey("default", "wait"), ...ids);
      }
    };
    await fill(0, 1000);
    const few = await look();
    await fill(1000, 100_000);
    expect(await look()).toEqual(few);
    expect(few).toEqual({ zrange: 1, multi: 1, exec: 1, zcard: 5, llen: 3 });
  });
});
