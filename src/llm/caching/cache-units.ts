import type { UnitBehaviour } from "../../../packages/sdk/src/wire/caches.ts";
import { type Stability, stabilities } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import { conversation, type SegmentedRequest } from "./cache-samples.ts";

/** Above it a unit changes while a ticket is worked on. */
const changesOften = 0.2;
/** A content that serves at least this many tickets on average is shared between them. */
const sharedTickets = 1.5;

interface UnitObservation {
  tokens: number;
  requests: number;
  pairs: number;
  changes: number;
  readonly ticketsOf: Map<string, Set<string>>;
}

/** Measures every unit's stability; by name, in the order of their first appearance. */
export function observeUnits(requests: readonly SegmentedRequest[]): ReadonlyMap<string, UnitBehaviour> {
  const observations = new Map<string, UnitObservation>();
  const lastOfTicket = new Map<string, ReadonlyMap<string, string>>();
  for (const request of requests) {
    const contents = contentsOf(request);
    const before = lastOfTicket.get(request.ticketId);
    lastOfTicket.set(request.ticketId, contents);
    for (const block of request.blocks) unitOf(observations, block.unit).tokens += block.tokens;
    for (const [unit, content] of contents) {
      const entry = unitOf(observations, unit);
      entry.requests += 1;
      entry.ticketsOf.set(content, (entry.ticketsOf.get(content) ?? new Set()).add(request.ticketId));
      if (before === undefined) continue;
      entry.pairs += 1;
      if (before.get(unit) !== content) entry.changes += 1;
    }
  }
  return new Map(
    [...observations].map(([unit, { tokens, requests: present, pairs, changes, ticketsOf }]) => [
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

function stabilityOf(unit: string, { changes, pairs, ticketsOf }: Pick<UnitObservation, "changes" | "pairs" | "ticketsOf">): Stability {
  if (unit === conversation) return "turn";
  if (pairs > 0 && changes / pairs > changesOften) return "request";
  if (ticketsOf.size <= 1) return "static";
  const uses = [...ticketsOf.values()].reduce((sum, tickets) => sum + tickets.size, 0);
  return uses / ticketsOf.size >= sharedTickets ? "repo" : "ticket";
}

function unitOf(observations: Map<string, UnitObservation>, unit: string): UnitObservation {
  const observation = observations.get(unit) ?? { tokens: 0, requests: 0, pairs: 0, changes: 0, ticketsOf: new Map<string, Set<string>>() };
  observations.set(unit, observation);
  return observation;
}
