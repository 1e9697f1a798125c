import type { BatchProgress } from "../../../packages/sdk/src/wire/batches.ts";
import { endStates, type TicketState, ticketStates } from "../../../packages/sdk/src/wire/tickets.ts";
import type { Instant } from "../../core/clock.ts";
import type { MicroUsd } from "../../core/money.ts";
import { progressSlotMs } from "../tickets/ticket.ts";

/** What progress is computed from. */
export interface ProgressFacts {
  readonly counts: { readonly [State in TicketState]: number };
  readonly spentMicroUsd: MicroUsd;
  /** What one ticket probably costs, for the forecast while none has ended. */
  readonly p50MicroUsd: MicroUsd;
  /** Tickets that ended, by slot (`floor(time / 10 s)`). */
  readonly endedBySlot: ReadonlyMap<number, number>;
}

const windowMs = 30 * 60_000;

/** A slot is a sixth of a minute. The median, so that a pause of minutes or a burst does not throw the estimate about. */
export function batchProgress(facts: ProgressFacts, now: Instant): BatchProgress {
  const { counts, spentMicroUsd } = facts;
  const tickets = ticketStates.reduce((sum, state) => sum + counts[state], 0);
  const ended = endStates.reduce((sum, state) => sum + counts[state], 0);
  const remaining = tickets - ended;
  const perMinute = medianPerMinute(facts.endedBySlot, now);
  const perTicket = ended === 0 ? facts.p50MicroUsd : spentMicroUsd / ended;
  return {
    tickets,
    ended,
    succeeded: counts.succeeded,
    perMinute,
    etaAt: remaining === 0 ? now : perMinute === null ? null : now + Math.round((remaining / perMinute) * 60_000),
    forecastMicroUsd: remaining === 0 ? spentMicroUsd : Math.round(Math.max(spentMicroUsd, perTicket * tickets)),
  };
}

/** Whole slots from the first end in the window to now. A median of 0 tells nothing, then the mean of the same slots is taken. */
function medianPerMinute(endedBySlot: ReadonlyMap<number, number>, now: Instant): number | null {
  const last = Math.floor(now / progressSlotMs);
  const inWindow = [...endedBySlot].filter(([slot, count]) => count > 0 && slot <= last && slot > last - windowMs / progressSlotMs);
  if (inWindow.length === 0) return null;
  const first = Math.min(...inWindow.map(([slot]) => slot));
  const slots = Array.from({ length: last - first + 1 }, (_, index) => endedBySlot.get(first + index) ?? 0);
  // The slot that is not over yet would pull the estimate down.
  const whole = (slots.length > 1 ? slots.slice(0, -1) : slots).toSorted((a, b) => a - b);
  const middle = whole.length / 2;
  const median = ((whole[Math.ceil(middle) - 1] ?? 0) + (whole[Math.floor(middle)] ?? 0)) / 2;
  const mean = whole.reduce((sum, count) => sum + count, 0) / whole.length;
  const perSlot = median > 0 ? median : mean;
  return perSlot === 0 ? null : (perSlot * 60_000) / progressSlotMs;
}
