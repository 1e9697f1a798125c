import { z } from "zod";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import { noTokens } from "../usage/token-partition.ts";
import type { CountedUsage } from "../usage/usage-ledger.ts";
import { storedLeaseSchema } from "./stored-lease.ts";

/** A turn that was admitted and ended without a report, or whose report came after all. */
export const unreportedTurnSchema = z.object({
  lease: storedLeaseSchema.pick({ leaseId: true, budget: true, ticketId: true, queue: true, batchId: true, attempt: true, turn: true }),
  /** What it is charged with, in micro-USD. */
  amount: z.number(),
  /** When it ended. */
  at: z.number(),
  /** A report came after all, and the charge was given back. */
  replaced: z.boolean().default(false),
});

/** See {@link unreportedTurnSchema}. */
export type UnreportedTurn = z.output<typeof unreportedTurnSchema>;

/** Provider, model, operation and prompt of turns of which nothing is known. */
export const unreportedName = "unreported";

/** The turn as a usage event: nothing of it is known but what it had reserved. */
export function eventOfUnreported({ lease, amount, at, replaced }: UnreportedTurn): UsageEvent {
  const { leaseId, budget, ticketId, queue, batchId, attempt, turn } = lease;
  const names = { provider: unreportedName, model: unreportedName, operation: unreportedName, prompt: unreportedName };
  const money = replaced
    ? ({ costMicroUsd: 0, revises: true, detail: "its usage was reported after all" } as const)
    : ({ costMicroUsd: amount, estimated: "reservation", detail: "it was admitted and ended, and no usage was reported" } as const);
  return {
    id: unreportedIdOf({ attempt, turn, at, ticketId }),
    at,
    ...names,
    budget,
    queue,
    ticketId,
    ...(batchId === "" ? {} : { batchId }),
    leaseId,
    attempt,
    turn,
    variant: "baseline",
    outcome: "ok",
    tokens: noTokens,
    anomaly: "no_report",
    ...money,
  };
}

/** What was counted of the turn. */
export function countedOfUnreported(turn: UnreportedTurn): CountedUsage {
  const changeMicroUsd = turn.replaced ? -turn.amount : turn.amount;
  const event = eventOfUnreported(turn);
  return {
    kind: turn.replaced ? "completed" : "accepted",
    event,
    changeMicroUsd,
    estimatedChangeMicroUsd: changeMicroUsd,
    added: noTokens,
  };
}

interface TurnName {
  readonly attempt: number;
  readonly turn: number;
  readonly at: number;
  readonly ticketId: string;
}

/** The id under which people correct the cost of the turn. */
export function unreportedIdOf({ attempt, turn, at, ticketId }: TurnName): string {
  return `unreported:${attempt}:${turn}:${at}:${ticketId}`;
}

/** The turn that an id names; undefined for another id. */
export function readUnreportedId(id: string): TurnName | undefined {
  const [word, attempt = "", turn = "", at = "", ...ticket] = id.split(":");
  if (word !== "unreported" || ![attempt, turn, at].every((text) => /^\d{1,15}$/.test(text)) || ticket.length === 0) return undefined;
  return { attempt: Number(attempt), turn: Number(turn), at: Number(at), ticketId: ticket.join(":") };
}
