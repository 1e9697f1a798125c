import { expect, it } from "@jest/globals";
import { newTicketSchema } from "../../../packages/sdk/src/wire/tickets.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { createRecordedLog } from "../../../test/fakes/recorded-log.ts";
import { countCommands } from "../../../test/servers/count-commands.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { openTicketSystem } from "../../../test/servers/ticket-system.ts";
import { connectRedis } from "../../platform/redis/connection.ts";
import { startTicketWorker } from "./jobs.ts";
import { createTicketQueue } from "./ticket-queue.ts";

const held = holdRedis(["--appendfsync", "no"]);

/** Scripts that BullMQ runs beside the tickets: at a worker's start, for each of its places, and every two seconds. */
const beside = 40;
const worked = 400;
const queued = 10_000;

it("works on a ticket with four scripts, and keeps a queued one in 1,250 bytes", async () => {
  const { redis } = held;
  const { tickets, ledger, gate, fastPath, clock } = openTicketSystem(redis);
  const queue = createTicketQueue(redis, tickets, (error) => {
    throw error;
  });
  await ledger.define({ id: "bench", limitMicroUsd: 1_000_000_000_000, periodMs: 3_600_000_000, periodStartsAt: 0 });
  const usedBytes = async () => Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
  const empty = await usedBytes();
  for (let from = 0; from < queued; from += 1000) {
    const ids = Array.from({ length: 1000 }, (_, index) => `t/${from + index}`);
    await tickets.addAll(ids.map((id) => newTicketSchema.parse({ id, budget: "bench", estimateMicroUsd: 5000 })));
    await queue.enqueueAll(
      ids.map((id) => ({ id, budget: "bench" })),
      "default",
    );
  }
  expect(((await usedBytes()) - empty) / queued).toBeLessThanOrEqual(1250);

  const drain = new AbortController();
  const connection = connectRedis({ socketPath: held.server.socketPath }, "worker");
  let ended = 0;
  const { commands } = await countCommands(redis, async () => {
    await new Promise<void>((resolve) => {
      const worker = startTicketWorker(
        {
          store: tickets,
          gate,
          fastPath,
          clock,
          async processor(ticket) {
            await ledger.record([
              aUsageEvent({ id: `r ${ticket.id}`.replace(" ", "-"), budget: "bench", ticketId: ticket.id }, clock.now()),
            ]);
            ended += 1;
            if (ended === worked) drain.abort();
            return { kind: "done", saved: null };
          },
        },
        {
          redis: connection,
          queue: "default",
          recovery: { recover: async () => 0, repair: async () => ({ kind: "complete" }) },
          concurrency: 8,
          drain: drain.signal,
          abort: new AbortController().signal,
          log: createRecordedLog(({ level }) => expect(level).toBe("info")),
        },
      );
      drain.signal.addEventListener("abort", () => void worker.close().then(resolve));
    });
  });
  await queue.close();
  connection.disconnect();
  const { evalsha = 0 } = commands.calls;
  expect(ended).toBeGreaterThanOrEqual(worked);
  expect(evalsha).toBeGreaterThan(3 * ended);
  expect(evalsha).toBeLessThanOrEqual(4 * ended + beside);
}, 60_000);
