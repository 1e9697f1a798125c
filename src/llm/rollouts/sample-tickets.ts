import { createRandom, hash32, type Random } from "../../core/random.ts";
import type { PastTicket } from "../models/route-history.ts";

/** Tickets of one kind, repository and third of the cost, in the order in which they are drawn. */
interface TicketStratum {
  readonly name: string;
  readonly tickets: readonly PastTicket[];
}

/** Tickets for an evaluation, and how many strata they come from. */
export interface TicketSample {
  readonly ids: readonly string[];
  readonly strata: number;
}

/**
 * Draws `count` tickets that look like all of them: in proportion to the strata of kind × repository × third of the cost, none twice, and at least one of each
 * stratum as long as there are no more strata than tickets to draw. Pure: the same tickets in any order, with the same seed, give the same sample.
 */
export function sampleTickets(
  tickets: readonly PastTicket[],
  { count, seed }: { readonly count: number; readonly seed: string },
): TicketSample {
  const random = createRandom(hash32(seed));
  const strata = stratify(tickets, random);
  const shares = allot(
    strata.map((stratum) => stratum.tickets.length),
    Math.min(count, tickets.length),
  );
  const drawn = strata.map((stratum, index) => stratum.tickets.slice(0, shares[index]));
  return { ids: drawn.flatMap((picked) => picked.map(({ id }) => id)).toSorted(), strata: drawn.filter(({ length }) => length > 0).length };
}

/** Strata by their cheapest ticket, each shuffled. */
function stratify(tickets: readonly PastTicket[], random: Random): readonly TicketStratum[] {
  const byCost = tickets.toSorted((a, b) => a.costMicroUsd - b.costMicroUsd || (a.id < b.id ? -1 : 1));
  const strata = new Map<string, PastTicket[]>();
  for (const [place, ticket] of byCost.entries()) {
    const third = Math.floor((3 * place) / byCost.length);
    const name = JSON.stringify([ticket.kind, ticket.repository, third]);
    const members = strata.get(name);
    if (members === undefined) strata.set(name, [ticket]);
    else members.push(ticket);
  }
  return [...strata].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, members]) => ({ name, tickets: shuffle(members, random) }));
}

/**
 * Divides `count` in proportion to `sizes` by the largest remainder, at least 1 each while that is possible. With more strata than tickets to draw the
 * largest strata get one each.
 */
function allot(sizes: readonly number[], count: number): readonly number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const order = sizes.map((_, index) => index).toSorted((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b);
  const shares = sizes.map(() => 0);
  if (sizes.length >= count) {
    for (const index of order.slice(0, count)) shares[index] = 1;
    return shares;
  }
  const exact = sizes.map((size) => (count * size) / total);
  for (const index of order) shares[index] = Math.max(1, Math.floor(exact[index] ?? 0));
  const excess = (index: number) => (shares[index] ?? 0) - (exact[index] ?? 0);
  let missing = count - shares.reduce((sum, share) => sum + share, 0);
  // The minimum of one may have given away more than there is: the strata that are farthest above their part give it back.
  for (; missing < 0; missing += 1) {
    const most = order.filter((index) => (shares[index] ?? 0) > 1).toSorted((a, b) => excess(b) - excess(a) || a - b)[0];
    if (most === undefined) break;
    shares[most] = (shares[most] ?? 0) - 1;
  }
  for (; missing > 0; missing -= 1) {
    const least = order.filter((index) => (shares[index] ?? 0) < (sizes[index] ?? 0)).toSorted((a, b) => excess(a) - excess(b) || a - b)[0];
    if (least === undefined) break;
    shares[least] = (shares[least] ?? 0) + 1;
  }
  return shares;
}

function shuffle(tickets: readonly PastTicket[], random: Random): readonly PastTicket[] {
  const shuffled = [...tickets];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [shuffled[last], shuffled[other]];
    if (a !== undefined && b !== undefined) [shuffled[last], shuffled[other]] = [b, a];
  }
  return shuffled;
}
