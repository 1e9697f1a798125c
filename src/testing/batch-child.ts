/**
 * A process of ticket workers for tests of batches: real Redis, wired like the product. Environment: BC_SOCKET. Every turn that begins is told to the list
 * `turns` as `<pid> <ticket> <turn>`; a turn takes 20 ms and costs 1000 micro-USD, and a ticket has six of them. A ticket whose id ends in `=` fails.
 */
import { createSystemClock } from "../core/clock.ts";
import { connectRedis } from "../redis/connection.ts";
import { createWorkloadLedger } from "../redis/workload-ledger.ts";
import { createTicketStore } from "../redis/workload-tickets.ts";
import { createLocalGate } from "../workload/local-gate.ts";
import { startTicketWorker } from "../../workers/ticket.ts";
import { aUsageEvent } from "./a-usage-report.ts";

const address = { socketPath: process.env["BC_SOCKET"] ?? "" };
const clock = createSystemClock();
const redis = connectRedis(address, "worker");
const store = createTicketStore({ redis, clock });
const times = { leaseMs: 1000, minuteMs: 60_000, bucketMs: 60_000, keepMs: 3_600_000 };
const ledger = createWorkloadLedger({ redis, clock, times, counts: store });
const never = new AbortController().signal;

startTicketWorker(
  {
    store,
    clock,
    gate: createLocalGate({ ledger, observer: { usage: () => undefined, finished: () => undefined } }),
    async processor(ticket, { turn }) {
      await redis.rpush("turns", `${process.pid} ${ticket.id} ${turn}`);
      await clock.sleep(20);
      const event = { ...aUsageEvent({ id: `${ticket.id}#${turn}`, ticketId: ticket.id }, clock.now()), costMicroUsd: 1000 };
      await ledger.record([ticket.batchId === undefined ? event : { ...event, batchId: ticket.batchId }]);
      if (ticket.id.endsWith("=")) return { kind: "failed", saved: turn, reason: "tests_failed", retry: false, estimateMicroUsd: 1000 };
      return turn === 5 ? { kind: "done", saved: turn } : { kind: "continue", saved: turn, estimateMicroUsd: 1000 };
    },
  },
  {
    redis: connectRedis(address, "worker"),
    queue: "default",
    concurrency: 4,
    drain: never,
    abort: never,
    lockMs: 1000,
    stalledCheckMs: 300,
    log: { worked: () => undefined, failed: (_id, error) => console.error(error), queueError: () => undefined },
  },
);
