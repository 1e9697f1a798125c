import { z } from "zod";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import { endStates, type NewTicket, type Ticket, type TicketState, ticketStates } from "../../../packages/sdk/src/wire/tickets.ts";
import type { Instant } from "../../core/clock.ts";
import type { MicroUsd } from "../../core/money.ts";

/** Whether the ticket has ended. */
export function hasEnded(state: TicketState): boolean {
  return endStates.some((end) => end === state);
}

/** What a worker writes about a ticket that it holds. A field that is absent stays. */
export interface TicketChange {
  readonly state?: TicketState;
  readonly reason?: string;
  readonly attempt?: number;
  readonly turn?: number;
  readonly saved?: Json;
  readonly estimateMicroUsd?: MicroUsd;
  /** Writing it is a sign of life. */
  readonly stage?: string;
  readonly failures?: readonly string[];
}

/** Reason of a ticket that waits because whoever worked on it vanished in the middle of a stage: nothing was looked at yet. */
export const lostReason = "worker_lost";

/** Reason of a ticket that waits because a recovery has it in hand: workers leave it alone. */
export const recoveryReason = "recovery";

/** A ticket without a sign of life. */
export interface StandingTicket {
  readonly id: string;
  readonly queue: string;
  readonly stage: string;
}

/** What a recovery does with tickets. All reject with StoreUnavailable when the store does not answer. */
export interface TicketRecovery {
  get(id: string): Promise<Ticket | undefined>;
  /** Open tickets that told a stage and have shown no sign of life since `before`, longest first. */
  standing(before: Instant, limit: number): Promise<readonly StandingTicket[]>;
  /**
   * Takes a ticket from whoever has it, a dead one too, which is open again then; it waits with {@link recoveryReason} afterwards. Taking it twice is
   * taking it once. Undefined: there is none, it has ended otherwise, or its reference belongs to another ticket by now.
   */
  recover(id: string, holder: string): Promise<Ticket | undefined>;
  write(id: string, holder: string, change: TicketChange): Promise<boolean>;
}

/** Every member that is present must match. */
export interface TicketFilter {
  readonly state?: TicketState;
  readonly batchId?: string;
}

/** Tickets by queue and state. */
export type TicketCounts = { readonly [queue: string]: { readonly [State in TicketState]: number } };

/**
 * What became of a ticket that was handed in. `known`: the same ticket is there. `differs`: another ticket of this id is there. `taken`: its reference
 * belongs to a ticket that is open or was successful. `sealed`: its batch takes no more tickets.
 */
export type AddTicketResult = { readonly kind: "added" | "known" | "differs" | "sealed" } | { readonly kind: "taken"; readonly by: string };

/** One page of the open tickets of a queue. */
export interface OpenPage {
  readonly ids: readonly string[];
  /** Present when there may be more. */
  readonly next?: Instant;
}

/** Which tickets of a queue are open, and which of these are not in the queue yet. All reject with StoreUnavailable when the store does not answer. */
export interface OpenTickets {
  /** Tickets that have not ended and were released to their queue, oldest first: at least `limit` of them, and all of one millisecond in one page. */
  open(queue: string, page: { readonly after?: Instant; readonly limit: number }): Promise<OpenPage>;
  /** Of these tickets, those that are open. The others are no longer counted among the open ones. */
  stillOpen(queue: string, ids: readonly string[]): Promise<readonly string[]>;
  /** Tickets that were released to the queue at `before` or earlier and have not been put into it since, oldest first. */
  unqueued(queue: string, before: Instant, limit: number): Promise<readonly string[]>;
  /** Says that the tickets are in the queue. */
  markQueued(queue: string, ids: readonly string[]): Promise<void>;
  /** Sorts the open tickets of an older version by their queues. */
  moveOldIndex(): Promise<void>;
}

/** Where tickets are kept. A worker holds a ticket before it writes; whoever lost it cannot write any more. */
export interface TicketStore extends OpenTickets {
  /** False: a ticket of this id is there already and stays as it is, or its batch or its reference does not permit it. */
  add(ticket: NewTicket): Promise<boolean>;
  /** The same for many, with what became of each, in order. */
  addAll(tickets: readonly NewTicket[]): Promise<readonly AddTicketResult[]>;
  /** The ticket that holds each reference, or undefined. */
  holdersOf(externalRefs: readonly string[]): Promise<readonly ({ readonly id: string; readonly state: TicketState } | undefined)[]>;
  /** Lets tickets that waited for their batch count as queued. */
  enqueue(ids: readonly string[]): Promise<void>;
  /** Ends a ticket that is not in a worker's hands. False: it runs, it has ended, or there is none. */
  cancel(id: string, reason: string): Promise<boolean>;
  get(id: string): Promise<Ticket | undefined>;
  /** Takes the ticket for `holder`, away from whoever held it. Undefined: there is no such ticket. One that has ended is answered, not taken. */
  claim(id: string, holder: string): Promise<Ticket | undefined>;
  /** False: somebody else holds the ticket, or it has ended; nothing was written. */
  write(id: string, holder: string, change: TicketChange): Promise<boolean>;
  /** Newest first; `undefined` means that the cursor is none of ours. */
  list(
    filter: TicketFilter,
    page: { readonly cursor?: string; readonly limit: number },
  ): Promise<{ readonly items: readonly Ticket[]; readonly nextCursor?: string } | undefined>;
  counts(): Promise<TicketCounts>;
}

/** What one turn came to. `saved` is kept before anything else happens. */
export type TurnResult = (
  | { readonly kind: "continue"; readonly saved: Json; readonly estimateMicroUsd: MicroUsd }
  | { readonly kind: "done"; readonly saved: Json }
  /** The try failed. With tries left and `retry`, the next one goes on from `saved`. */
  | {
      readonly kind: "failed";
      readonly saved: Json;
      readonly reason: string;
      readonly retry: boolean;
      /** A word of the application for the reason, which is counted when the ticket dies of it. */
      readonly failureClass?: string;
      readonly estimateMicroUsd: MicroUsd;
    }
) & {
  /**
   * No request of the turn will be billed: none was sent, or the provider refused each, as with 429. Its reservation is given back. Without this a turn of
   * which no usage was reported is charged with its reservation.
   */
  readonly unused?: boolean;
};

/** What a turn is given. */
export interface TurnContext {
  /** Turns that are done. */
  readonly turn: number;
  readonly attempt: number;
  readonly leaseId: string;
  /** What the last turn saved; null in the first. */
  readonly saved: Json;
  /** Aborted when the worker is shutting down and the grace is over, or the ticket was taken away. */
  readonly signal: AbortSignal;
  /** Tells that the work goes on, and which part of it. Rejects when the ticket was taken away: whoever hears that stops. */
  heartbeat(phase: string): Promise<void>;
}

/** The application's own code: does one turn of a ticket. What it throws counts as a failed try. */
export type TicketProcessor = (ticket: Ticket, context: TurnContext) => Promise<TurnResult>;

/** A ticket as its job names it. Without its budget the gate is asked for it in any case. */
export interface QueuedTicket {
  readonly id: string;
  readonly budget?: string | undefined;
  readonly batchId?: string | undefined;
}

/** Puts many tickets of one queue into it; what is there already stays as it is. */
export interface TicketEnqueuer {
  /** Rejects with StoreUnavailable when the queue cannot be reached. */
  enqueueAll(tickets: readonly QueuedTicket[], queue: string): Promise<void>;
}

/** The doorbell of the ticket queue. */
export interface TicketWakeQueue {
  /** Makes sure that a worker looks at the ticket now; ringing twice is harmless. Rejects with StoreUnavailable when the queue cannot be reached. */
  enqueue(ticket: QueuedTicket & { readonly queue: string }): Promise<void>;
}

/** Width of one slot in which ended tickets are counted. */
export const progressSlotMs = 10_000;

/** A number per state, absent ones 0. */
export function stateCounts(read: (state: string) => string | undefined): TicketCounts[string] {
  const entries = ticketStates.map((state) => [state, Number(read(state) ?? 0)]);
  return z.record(z.enum(ticketStates), z.number()).parse(Object.fromEntries(entries));
}
