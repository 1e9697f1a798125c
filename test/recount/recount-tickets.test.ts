import { describe, expect, it } from "@jest/globals";
import { type CountedRollout, modelOf, recountTickets } from "./recount-tickets.ts";

const route = { baseline: "old", candidate: "new", share: 0.5, salt: "s" };
/** Buckets of salt `s`: 0.86, 0.54, 0.06, 0.31. */
const tickets = ["T-1", "T-2", "T-5", "T-8"] as const;

function aLine(ticketId: string, change: object = {}) {
  const model = modelOf(route, ticketId);
  const assignment = { rollout: "r", arm: model === "new" ? "canary" : "baseline", share: route.share };
  return {
    kind: "ticket",
    ticketId,
    route,
    assignment,
    askedAt: 10,
    admittedAt: 11,
    models: [model, model],
    outcome: "succeeded",
    ...change,
  };
}

const logOf = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join("");
const arm = (count: number, quality = count) => ({ exposed: count, ended: count, quality });
const counted: CountedRollout = { id: "r", beganAt: 0, endedAt: 100, canary: arm(2), baseline: arm(2, 1) };
const good = [aLine("T-1"), aLine("T-2", { outcome: "failed" }), aLine("T-5"), aLine("T-8")];

describe("the recount from outside", () => {
  it("finds the bucket that the documents describe", () => {
    expect(tickets.map((ticketId) => modelOf(route, ticketId))).toEqual(["old", "old", "new", "new"]);
    expect(tickets.map((ticketId) => modelOf({ ...route, share: 0.2 }, ticketId))).toEqual(["old", "old", "new", "old"]);
    expect(tickets.map((ticketId) => modelOf({ ...route, candidate: null, share: 1 }, ticketId))).toEqual(["old", "old", "old", "old"]);
  });

  it("expects no ticket that was assigned before the first share", () => {
    const early = aLine("T-6", { route: { ...route, share: 0 }, assignment: { rollout: "r", arm: "baseline", share: 0 } });
    expect(recountTickets(logOf([...good, early]), [counted]).differences).toEqual([]);
  });

  it("agrees with counts that are right", () => {
    expect(recountTickets(logOf(good), [counted])).toEqual({ tickets: 4, models: { old: 2, new: 2 }, flips: 0, differences: [] });
  });

  it.each([
    ["a model that the salt forbids", [...good, aLine("T-9", { models: ["wrong", "wrong"], assignment: null })], counted],
    ["a ticket that is there twice", [...good, aLine("T-1", { assignment: null })], counted],
    ["a canary ticket that was not counted", good, { ...counted, canary: arm(1) }],
    ["a success that was none", good, { ...counted, baseline: arm(2) }],
    [
      "a ticket that was counted after the end",
      [...good, aLine("T-6", { askedAt: 200, admittedAt: 201 })],
      { ...counted, [armOf("T-6")]: arm(3) },
    ],
  ])("finds %s", (_what, lines, rollout) => {
    expect(recountTickets(logOf(lines), [rollout]).differences.length).toBeGreaterThan(0);
  });

  it("finds a ticket that changed its model", () => {
    expect(recountTickets(logOf([aLine("T-1", { models: ["old", "new"] })]), [])).toMatchObject({ flips: 1 });
  });

  it("does not decide about a ticket that was being admitted when the rollout ended", () => {
    const late = aLine("T-5", { askedAt: 99, admittedAt: 101 });
    const [first, second, , fourth] = good;
    const lines = [first, second, late, fourth].filter((line) => line !== undefined);
    for (const count of [1, 2]) expect(recountTickets(logOf(lines), [{ ...counted, canary: arm(count) }]).differences).toEqual([]);
  });
});

function armOf(ticketId: string): string {
  return modelOf(route, ticketId) === "new" ? "canary" : "baseline";
}
