/**
 * A process of ticket workers for tests of batches: real Redis, wired like the product. Environment: BC_SOCKET. Every turn that begins is told to the list
 * `turns` as `<pid> <ticket> <turn>`; a turn takes 20 ms and costs 1000 micro-USD, and a ticket has six of them. A ticket whose id ends in `=` fails.
 */
import { connectRedis } from "../../src/platform/redis/connection.ts";
import { aUsageEvent } from "../builders/a-usage-report.ts";
import { openTicketSystem, workUntilKilled } from "../servers/ticket-system.ts";

const system = openTicketSystem(connectRedis({ socketPath: process.env["BC_SOCKET"] ?? "" }, "worker"));
const { redis, clock, ledger } = system;

workUntilKilled(system, 4, async (ticket, { turn }) => {
  await redis.rpush("turns", `${process.pid} ${ticket.id} ${turn}`);
  await clock.sleep(20);
  const event = { ...aUsageEvent({ id: `${ticket.id}#${turn}`, ticketId: ticket.id }, clock.now()), costMicroUsd: 1000 };
  await ledger.record([ticket.batchId === undefined ? event : { ...event, batchId: ticket.batchId }]);
  if (ticket.id.endsWith("=")) return { kind: "failed", saved: turn, reason: "tests_failed", retry: false, estimateMicroUsd: 1000 };
  return turn === 5 ? { kind: "done", saved: turn } : { kind: "continue", saved: turn, estimateMicroUsd: 1000 };
});
