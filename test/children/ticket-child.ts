/**
 * The process of the ticket worker's crash test: a worker over a real Redis, wired like the product, that kills itself with SIGKILL in the middle of one
 * turn. Environment: TK_SOCKET, TK_KILL_TURN (a turn, or empty). Every turn that begins and every turn that is done is told to the list `turns`.
 */
import { connectRedis } from "../../src/platform/redis/connection.ts";
import { openTicketSystem, workUntilKilled } from "../servers/ticket-system.ts";

const killTurn = process.env["TK_KILL_TURN"] ?? "";
const system = openTicketSystem(connectRedis({ socketPath: process.env["TK_SOCKET"] ?? "" }, "worker"));

workUntilKilled(system, 1, async (_ticket, { turn }) => {
  await system.redis.rpush("turns", `begin ${turn}`);
  if (String(turn) === killTurn) process.kill(process.pid, "SIGKILL");
  await system.redis.rpush("turns", `done ${turn}`);
  return turn === 4 ? { kind: "done", saved: turn } : { kind: "continue", saved: turn, estimateMicroUsd: 10 };
});
