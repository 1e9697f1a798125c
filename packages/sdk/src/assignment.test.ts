import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { bucketOf, isInCanary } from "./assignment.ts";

describe("a ticket's bucket", () => {
  it("is the first four bytes of the hash, the same in every language", () => {
    // printf 'run-1:TICKET-7' | sha256sum | head -c 8
    expect(bucketOf("run-1", "TICKET-7")).toBe(0xe162c6a8 / 2 ** 32);
  });

  it("never leaves a canary that grows", () => {
    fc.assert(
      fc.property(fc.string(), fc.float({ min: 0, max: 1, noNaN: true }), fc.float({ min: 0, max: 1, noNaN: true }), (ticket, a, b) => {
        const of = (share: number) => isInCanary({ share, salt: "s" }, ticket);
        expect(of(Math.min(a, b)) && !of(Math.max(a, b))).toBe(false);
      }),
    );
  });

  it("is in a canary about as often as its share says, in all of it at 1 and in none at 0", () => {
    const tickets = Array.from({ length: 2000 }, (_, index) => `TICKET-${index}`);
    const count = (share: number) => tickets.filter((ticket) => isInCanary({ share, salt: "s" }, ticket)).length;
    expect(Math.abs(count(0.1) - 200)).toBeLessThan(45);
    expect([count(0), count(1)]).toEqual([0, 2000]);
  });
});
