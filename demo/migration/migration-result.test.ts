import { describe, expect, it } from "@jest/globals";
import type { RolloutView } from "../runbookd-api.ts";
import { type MigrationObservations, migrationFaults, migrationLine, migrationMilestones, pooledDecision } from "./migration-result.ts";
import type { MigratedTicket } from "./ticket-evidence.ts";

const slumpAt = 5000;

function aTicket(
  number: number,
  change: Partial<MigratedTicket> & { readonly arm?: "baseline" | "canary"; readonly rollout?: string } = {},
) {
  const { arm = "baseline", rollout = "g", ...rest } = change;
  const model = arm === "canary" ? "new" : "old";
  const ticket: MigratedTicket = {
    kind: "ticket",
    process: "p",
    ticketId: `T-${number}`,
    route: { version: 2, baseline: "old", candidate: "new", share: 0.5, salt: "s" },
    follows: true,
    assignment: { rollout, arm, share: 0.5 },
    askedAt: number,
    admittedAt: number,
    endedAt: number,
    models: [model, model],
    outcome: "succeeded",
    costMicroUsd: 1,
    ...rest,
  };
  return ticket;
}

function aView(id: string, state: string, decisions: RolloutView["rollout"]["decisions"]): RolloutView {
  const cost = { kind: "compared" as const, logRatio: Math.log(0.5), halfWidthCheap: 0.1 };
  return { rollout: { id, state, step: 0, plan: { steps: [1] }, decisions }, strata: [], verdict: { cost } };
}

/** The share grows from 10 to 90 %, while both arms fall from all to half. */
const drifting = Array.from({ length: 2000 }, (_, index) => {
  const isLate = index >= 1000;
  const arm = (index % 10 === 0) === isLate ? "baseline" : "canary";
  return aTicket(index * 10, { arm, outcome: isLate && Math.floor(index / 10) % 2 === 0 ? "failed" : "succeeded" });
});

const good: MigrationObservations = {
  ...Object.fromEntries(migrationMilestones.map(({ key }, index) => [key, index * 1000])),
  slumpAt: 10_000,
  outcome: "succeeded",
  holdbackTickets: 40,
  bad: aView("b", "rolled_back", [{ at: 1000, decision: "roll_back", reason: "quality_worse", share: 0 }]),
  good: aView("g", "promoted", [{ at: 12_000, decision: "advance", reason: "shown", share: 0.5 }]),
  tickets: [...drifting, aTicket(900, { rollout: "b", arm: "canary" }), aTicket(1500, { rollout: "b", arm: "canary" })],
  recount: { tickets: 2002, flips: 0, differences: [] },
};

describe("what the migration demo must show", () => {
  it("is all of it", () => {
    expect(migrationFaults(good)).toEqual([]);
    expect(JSON.parse(migrationLine(good))).toMatchObject({
      bad: { end: "rolled_back", canaryTickets: 2, newCanaryAfterS: 0.5 },
      good: { end: "promoted", throughSlump: true, costRatioUpper: expect.closeTo(0.5526, 3), srmHeld: true, holdbackTickets: 40 },
      pooledWouldHave: "rollback",
      flips: 0,
      recomputedDifferences: 0,
      outcome: "succeeded",
    });
  });

  it.each<[string, Partial<MigrationObservations>]>([
    ["Not observed", { heldAt: undefined }],
    ["had to be rolled back", { bad: aView("b", "promoted", []) }],
    ["canary tickets", { tickets: [...good.tickets, ...Array.from({ length: 60 }, () => aTicket(1, { rollout: "b", arm: "canary" }))] }],
    ["after it was taken back", { tickets: [...good.tickets, aTicket(61_001, { rollout: "b", arm: "canary" })] }],
    ["had to be promoted", { good: aView("g", "running", []) }],
    ["slump", { slumpAt: slumpAt + 1_000_000 }],
    ["slump", { tickets: good.tickets.map((ticket) => ({ ...ticket, outcome: "succeeded" as const })) }],
    ["cheaper", { good: { ...aView("g", "promoted", []), verdict: { cost: { kind: "unknown" } } } }],
    ["held", { releasedAt: undefined }],
    ["holdback", { holdbackTickets: 0 }],
    ["pooled", { tickets: good.tickets.slice(-2) }],
    ["not recounted", { recount: undefined }],
    ["changed their model", { recount: { tickets: 1, flips: 1, differences: [] } }],
    ["T-1 got", { recount: { tickets: 1, flips: 0, differences: ["T-1 got old"] } }],
    ["ended undone", { outcome: "undone" }],
    ["unexpected question", { unexpected: "Which model?" }],
    ["began again", { restartFault: "Step x was complete and began again." }],
  ])("is not shown, and says so: %s", (sentence, change) => {
    expect(migrationFaults({ ...good, ...change }).join("\n")).toContain(sentence);
  });
});

describe("the pooled arms", () => {
  it("take an equal model back while the share grows and both arms fall, and not without the fall", () => {
    expect(pooledDecision(drifting, "g")).toBe("rollback");
    expect(pooledDecision(drifting.slice(0, 1000), "g")).not.toBe("rollback");
    expect(pooledDecision(drifting, "another")).toBe("continue");
  });

  it("are judged at every look, whatever comes later", () => {
    const later = Array.from({ length: 30_000 }, (_, index) => aTicket(100_000 + index, { arm: "canary" }));
    expect(pooledDecision([...drifting, ...later], "g")).toBe("rollback");
  });
});
