import type { Redis } from "ioredis";
import { z } from "zod";
import type { Ticket } from "../../../packages/sdk/src/wire/tickets.ts";
import type { Clock } from "../../core/clock.ts";
import type { EventSink } from "../../core/event.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys, leaseIdOf, shareIdOf } from "../../platform/redis/workload-keys.ts";
import { type BudgetTimes, historyLength, logLength, ticketMs } from "../budgets/budget-ledger.ts";
import { finishedTicket } from "../budgets/finished-ticket.ts";
import type { StoredLease } from "../budgets/stored-lease.ts";
import type { TicketEnded } from "../budgets/workload-event.ts";
import { ticketScripts } from "./redis-scripts.ts";
import { fieldsOfChange, progressSlotOf, readTicket, ticketRetentionMs } from "./redis-ticket-codec.ts";
import type { TicketFastPath } from "./ticket-fast-path.ts";

/** What the fast path in Redis needs. */
export interface FastPathDeps {
  readonly redis: Redis;
  readonly clock: Pick<Clock, "now">;
  /** Those of the budgets' ledger. */
  readonly times: BudgetTimes;
  /** Hears of every ticket that has ended, once. */
  readonly publish: EventSink<TicketEnded>;
}

/** What ticket-begin.lua replies of the ticket, in its order. */
const begunFields = ["definition", "kind", "external_ref", "attempt", "turn", "saved", "estimate", "stage", "failures", "created"] as const;

const endedSchema = z.union([
  z.tuple([z.enum(["lost", "again"])]),
  z.tuple([z.literal("ended"), z.coerce.number(), z.coerce.number(), z.coerce.number()]),
]);

/** The fast path for tickets and budgets in one Redis. */
export function createFastPath({ redis, clock, times, publish }: FastPathDeps): TicketFastPath {
  return {
    begin: ({ id, budget, queue, batchId = "" }, holder) =>
      available(async () => {
        const now = clock.now();
        const leaseId = leaseIdOf(budget, id);
        const minuteIndex = Math.floor(now / times.minuteMs);
        const [ticketSpend, batch] = [keys.ticketSpend(budget, id), keys.batch(batchId)];
        const lease: Omit<StoredLease, "attempt" | "turn" | "estimate" | "since"> = {
          leaseId,
          budget,
          ticketId: id,
          queue,
          batchId,
          spend: ticketSpend,
          batch,
          unreported: keys.usageUnreported,
        };
        const reply = await ticketScripts.begin.run(redis, {
          keys: {
            ticket: keys.ticket(id),
            counts: keys.ticketCounts,
            heartbeats: keys.ticketHeartbeats,
            ...budgetKeys(budget),
            minute: keys.minute(budget, minuteIndex),
            ticketSpend,
            batch,
            log: keys.admissions,
            queues: keys.queues(budget),
            batches: keys.batches(budget),
            leasedBudgets: keys.leasedBudgets,
          },
          args: {
            holder,
            now,
            slot: progressSlotOf(now),
            retentionMs: ticketRetentionMs,
            leaseId,
            leaseHead: JSON.stringify(lease).slice(0, -1),
            leaseExpiresAt: now + times.leaseMs,
            budgetId: budget,
            ticketId: id,
            minuteTtlMs: times.minuteMs * 2,
            ticketTtlMs: ticketMs,
            queue,
            batchId,
            logLength,
            share: shareIdOf(batchId === "" ? undefined : batchId),
            minuteIndex,
          },
        });
        if (!Array.isArray(reply) || reply.length === 0) return undefined;
        const values = begunFields.map((name, index) => [name, String(reply[index] ?? "")] as const);
        const ticket = readTicket({
          ...Object.fromEntries(values),
          id,
          budget,
          queue,
          batch: batchId,
          state: "running",
          reason: "",
          updated: String(now),
        });
        return { ticket, answer: { kind: "admitted", leaseId, leaseMs: times.leaseMs } };
      }),
    end: (ticket, holder, outcome) =>
      available(async () => {
        const now = clock.now();
        const reply = endedSchema.parse(
          await ticketScripts.end.run(redis, {
            keys: { ...endKeys(ticket), ...budgetKeys(ticket.budget), kindCosts: keys.costs(ticket.kind) },
            args: {
              holder,
              now,
              slot: progressSlotOf(now),
              retentionMs: ticketRetentionMs,
              outcome: outcome.state,
              leaseId: leaseIdOf(ticket.budget, ticket.id),
              ticketTtlMs: ticketMs,
              share: shareIdOf(ticket.batchId),
              historyLength,
              isUnused: outcome.unused ?? false,
            },
            moreArgs: fieldsOfChange({ ...outcome.change, reason: outcome.reason }),
          }),
        );
        if (reply[0] === "ended") {
          const [, costMicroUsd, startedAt, attempts] = reply;
          const { id: ticketId, budget, queue, variant } = ticket;
          const { state, failureClass } = outcome;
          const release = { ticketId, budget, queue, variant, outcome: state, ...(failureClass !== undefined && { failureClass }) };
          publish({ kind: "ticket_ended", ticket: finishedTicket(release, { costMicroUsd, startedAt, attempts }, now) });
        }
        return reply[0] !== "lost";
      }),
  };
}

function budgetKeys(budget: string) {
  return {
    budget: keys.budget(budget),
    expiry: keys.expiry(budget),
    leases: keys.leases(budget),
    reserved: keys.reserved(budget),
    shares: keys.shares(budget),
  };
}

function endKeys({ id, budget, queue, batchId = "", externalRef = "" }: Ticket) {
  return {
    ticket: keys.ticket(id),
    openTickets: keys.openTickets(queue),
    counts: keys.ticketCounts,
    batch: keys.batch(batchId),
    ticketSpend: keys.ticketSpend(budget, id),
    batchEnded: keys.batchEnded(batchId),
    referenceHolder: keys.reference(externalRef),
    heartbeats: keys.ticketHeartbeats,
  };
}
