import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { PastTicket } from "../models/route-history.ts";
import { sampleTickets } from "./sample-tickets.ts";

const someTickets = fc
  .array(
    fc.record({
      kind: fc.constantFrom("bug", "feature", "chore"),
      repository: fc.constantFrom("shop", "web"),
      costMicroUsd: fc.integer({ min: 0, max: 50 }),
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map((tickets) => tickets.map((ticket, nth): PastTicket => ({ id: `T-${nth}`, ...ticket })));
/** A few kinds of very different sizes, all of one cost: three strata of about equal size each. */
const skewedTickets = fc
  .array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 })
  .map((counts) =>
    counts.flatMap((count, kind) =>
      Array.from(
        { length: count },
        (_, nth): PastTicket => ({ id: `T-${kind}-${nth}`, kind: `k${kind}`, repository: "", costMicroUsd: nth % 7 }),
      ),
    ),
  );
const sizes = fc.integer({ min: 1, max: 60 });

/** Tickets by stratum, as the sample forms it. */
function strataOf(tickets: readonly PastTicket[]): ReadonlyMap<string, readonly string[]> {
  const byCost = tickets.toSorted((a, b) => a.costMicroUsd - b.costMicroUsd || (a.id < b.id ? -1 : 1));
  const strata = new Map<string, string[]>();
  for (const [place, { id, kind, repository }] of byCost.entries()) {
    const name = `${kind} ${repository} ${Math.floor((3 * place) / byCost.length)}`;
    strata.set(name, [...(strata.get(name) ?? []), id]);
  }
  return strata;
}

describe("a sample of tickets", () => {
  it("has as many as were asked for, as far as there are any, none of them twice", () => {
    fc.assert(
      fc.property(someTickets, sizes, (tickets, count) => {
        const { ids } = sampleTickets(tickets, { count, seed: "s" });
        expect(ids).toHaveLength(Math.min(count, tickets.length));
        expect(new Set(ids).size).toBe(ids.length);
        const known = new Set(tickets.map(({ id }) => id));
        expect(ids.filter((id) => !known.has(id))).toEqual([]);
      }),
    );
  });

  it("holds each stratum in its proportion, within one ticket once there is room for the small ones", () => {
    fc.assert(
      fc.property(fc.oneof(someTickets, skewedTickets), sizes, (tickets, count) => {
        const { ids, strata: drawnStrata } = sampleTickets(tickets, { count, seed: "s" });
        const drawn = new Set(ids);
        const strata = [...strataOf(tickets).values()];
        const shares = strata.map((members) => members.filter((id) => drawn.has(id)).length);
        expect(drawnStrata).toBe(shares.filter((share) => share > 0).length);
        // With more strata than tickets to draw a stratum gets one or none, otherwise one at least.
        const [least, most] = strata.length >= count ? [0, 1] : [1, tickets.length];
        expect(shares.filter((share) => share < least || share > most)).toEqual([]);
        const parts = strata.map((members) => (ids.length * members.length) / tickets.length);
        const isRoomy = parts.every((part) => part >= 1);
        expect(parts.filter((part, index) => isRoomy && Math.abs((shares[index] ?? 0) - part) >= 1)).toEqual([]);
      }),
    );
  });

  it("takes no stratum of more tickets less often than one of fewer", () => {
    fc.assert(
      fc.property(fc.oneof(someTickets, skewedTickets), sizes, (tickets, count) => {
        const drawn = new Set(sampleTickets(tickets, { count, seed: "s" }).ids);
        const shares = [...strataOf(tickets).values()]
          .toSorted((a, b) => a.length - b.length)
          .map((members) => ({ size: members.length, share: members.filter((id) => drawn.has(id)).length }));
        const fewer = shares.filter(({ size, share }) => shares.some((other) => other.size < size && other.share > share));
        expect(fewer).toEqual([]);
      }),
    );
  });

  it("is the same for the same tickets in any order, and another one with another seed", () => {
    fc.assert(
      fc.property(someTickets, sizes, (tickets, count) => {
        const sample = sampleTickets(tickets, { count, seed: "s" });
        expect(sampleTickets(tickets.toReversed(), { count, seed: "s" })).toEqual(sample);
      }),
    );
    const alike = Array.from({ length: 100 }, (_, nth) => ({ id: `T-${nth}`, kind: "bug", repository: "shop", costMicroUsd: 1 }));
    const of = (seed: string) => sampleTickets(alike, { count: 20, seed }).ids;
    expect(of("one")).not.toEqual(of("two"));
  });
});
