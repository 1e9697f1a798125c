/**
 * The process of the ticket worker's crash test: a worker over a real Redis, wired like the product, that kills itself with SIGKILL in the middle of one
 * turn. Environment: TK_SOCKET, TK_KILL_TURN (a turn, or empty). Every turn that begins and every turn that is done is told to the list `turns`.
 */
import { createSystemClock } from "../core/clock.ts";
import { createTicketStore } from "../redis/workload-tickets.ts";
import { connectRedis } from "../redis/connection.ts";
import { createWorkloadLedger } from "../redis/workload-ledger.ts";
import { createLocalGate } from "../workload/local-gate.ts";
import { startTicketWorker } from "../../workers/ticket.ts";

const address = { socketPath: process.env["TK_SOCKET"] ?? "" };
const killTurn = process.env["TK_KILL_TURN"] ?? "";
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
    async processor(_ticket, { turn }) {
      await redis.rpush("turns", `begin ${turn}`);
      if (String(turn) === killTurn) process.kill(process.pid, "SIGKILL");
      await redis.rpush("turns", `done ${turn}`);
      return turn === 4 ? { kind: "done", saved: turn } : { kind: "continue", saved: turn, estimateMicroUsd: 10 };
    },
  },
  {
    redis: connectRedis(address, "worker"),
    queue: "default",
    concurrency: 1,
    drain: never,
    abort: never,
    lockMs: 1000,
    stalledCheckMs: 300,
    log: { worked: () => undefined, failed: (_id, error) => console.error(error), queueError: () => undefined },
  },
);
