import { describe, expect, it } from "@jest/globals";
import { countStartsWhilePaused, readEvidence, ticketStarts } from "./evidence.ts";

const start = (askedAt: number, at: number) => ({ kind: "ticket_started", askedAt, at, ticketId: "T", resumed: false }) as const;

describe("the application's evidence", () => {
  it("counts a ticket that asked and began inside the pause", () => {
    expect(countStartsWhilePaused([start(11, 12)], 10, 20)).toBe(1);
  });

  it("does not count tickets that asked before it, or began after it", () => {
    expect(countStartsWhilePaused([start(9, 11), start(5, 6), start(15, 21), start(30, 31)], 10, 20)).toBe(0);
  });

  it("leaves a last line out that is not whole yet", () => {
    const text = `${JSON.stringify(start(1, 2))}\n{"kind":"ticket_st`;
    expect(ticketStarts(readEvidence(text))).toHaveLength(1);
  });

  it("does not pass over a broken line", () => {
    expect(() => readEvidence('{"kind"\n{}\n')).toThrow(SyntaxError);
  });
});
