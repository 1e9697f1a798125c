import type { UnitBehaviour } from "../../../packages/sdk/src/wire/caches.ts";
import { type Stability, stabilities } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import { conversation, type SegmentedRequest } from "./cache-samples.ts";

/** Above it a unit changes while a ticket is worked on. */
const changesOften = 0.2;
/** A content that serves so many tickets on average is shared between them. */
const sharedTickets = 1.5;

interface Seen {
  tokens: number;
  requests: number;
  pairs: number;
  changes: number;
  readonly ticketsOf: Map<string, Set<string>>;
}

/** Measures every unit's stability; by name, in the order of their first appearance. */
export function observeUnits(requests: readonly SegmentedRequest[]): ReadonlyMap<string, UnitBehaviour> {
  const seen = new Map<string, Seen>();
  const lastOfTicket = new Map<string, ReadonlyMap<string, string>>();
  for (const request of requests) {
    const contents = contentsOf(request);
    const before = lastOfTicket.get(request.ticketId);
    lastOfTicket.set(request.ticketId, contents);
    for (const block of request.blocks) unitOf(seen, block.unit).tokens += block.tokens;
    for (const [unit, content] of contents) {
      const entry = unitOf(seen, unit);
      entry.requests += 1;
      entry.ticketsOf.set(content, (entry.ticketsOf.get(content) ?? new Set()).add(request.ticketId));
      if (before === undefined) continue;
      entry.pairs += 1;
      if (before.get(unit) !== content) entry.changes += 1;
    }
  }
  return new Map(
    [...seen].map(([unit, { tokens, requests: present, pairs, changes, ticketsOf }]) => [
      unit,
      {
        unit,
        stability: stabilityOf(unit, { changes, pairs, ticketsOf }),
        tokens: tokens / Math.max(1, present),
        presence: present / requests.length,
        ...(pairs === 0 ? {} : { changesWithinTicket: changes / pairs }),
        distinctContents: ticketsOf.size,
      },
    ]),
  );
}

/** Place of a stability in the order in which units should stand. */
export function stabilityRank(stability: Stability): number {
  return stabilities.indexOf(stability);
}

function contentsOf({ blocks }: SegmentedRequest): ReadonlyMap<string, string> {
  const contents = new Map<string, string>();
  for (const { unit, hash } of blocks) if (unit !== conversation) contents.set(unit, `${contents.get(unit) ?? ""} ${hash}`);
  if (blocks.some(({ unit }) => unit === conversation)) contents.set(conversation, "");
  return contents;
}

function stabilityOf(unit: string, { changes, pairs, ticketsOf }: Pick<Seen, "changes" | "pairs" | "ticketsOf">): Stability {
  if (unit === conversation) return "turn";
  if (pairs > 0 && changes / pairs > changesOften) return "request";
  if (ticketsOf.size <= 1) return "static";
  const uses = [...ticketsOf.values()].reduce((sum, tickets) => sum + tickets.size, 0);
  return uses / ticketsOf.size >= sharedTickets ? "repo" : "ticket";
}

function unitOf(seen: Map<string, Seen>, unit: string): Seen {
  const known = seen.get(unit) ?? { tokens: 0, requests: 0, pairs: 0, changes: 0, ticketsOf: new Map<string, Set<string>>() };
  seen.set(unit, known);
  return known;
}
