import { describe, expect, it } from "@jest/globals";
import { type TicketObservations, ticketFaults, ticketLine, ticketMilestones } from "./ticket-result.ts";

const whole: TicketObservations = {
  ...Object.fromEntries(ticketMilestones.map(({ key }, index) => [key, index])),
  outcome: "succeeded",
  failureClass: "worker_lost",
  uncommittedTree: "t1",
  uncommittedEdits: 2,
  preserved: { ref: "refs/checkpoints/SHOP-17/2", tree: "t1" },
  ticketState: "succeeded",
  phasesDone: { plan: 1, implement: 1, test: 1, review: 1, publish: 1 },
  editsRepeated: 0,
  testsBefore: { ok: false, passed: 0, failed: 5, skipped: 0, said: "" },
  testsAfter: { ok: true, passed: 5, failed: 0, skipped: 0, said: "" },
};

describe("what is said of the ticket scenario", () => {
  it("finds no fault when everything was seen", () => {
    expect(ticketFaults(whole)).toEqual([]);
    expect(JSON.parse(ticketLine(whole))).toMatchObject({
      outcome: "succeeded",
      preserved: { tree: "t1" },
      testsAfter: { passed: 5, failed: 0 },
    });
  });

  it.each<[string, Partial<TicketObservations>]>([
    ["a stage that was not seen", { resumedAt: undefined }],
    ["another tree", { uncommittedTree: "t2" }],
    ["a plan that was made twice", { phasesDone: { plan: 2, implement: 1, test: 1, review: 1, publish: 1 } }],
    ["a file that was written twice", { editsRepeated: 1 }],
    ["tests that fail", { testsAfter: { ok: false, passed: 4, failed: 1, skipped: 0, said: "" } }],
    ["tests that say nothing", { testsBefore: { ok: true, passed: 5, failed: 0, skipped: 0, said: "" } }],
    ["nothing that was left", { uncommittedEdits: 0 }],
    ["another outcome", { outcome: "ineffective" }],
    ["another cause", { failureClass: "unknown" }],
    ["another end", { ticketState: "dead" }],
  ])("holds %s against it", (_what, change) => {
    expect(ticketFaults({ ...whole, ...change })).toHaveLength(1);
  });

  it("holds everything against a play in which nothing was seen", () => {
    expect(ticketFaults({}).length).toBeGreaterThan(15);
  });
});
