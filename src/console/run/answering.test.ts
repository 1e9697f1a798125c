import { describe, expect, it } from "@jest/globals";
import { aClosingPlan, anApproval, everyEntry } from "../../../test/builders/every-entry.ts";
import { announcements } from "./announcements.ts";
import { answerLabel, answersFor, quickReasons, whyNotAnswer } from "./may-answer.ts";
import { planDifferences } from "./plan-difference.tsx";
import { freezeScopes, scopeText } from "./stop-panel.tsx";

describe("who may answer", () => {
  it.each([
    ["viewer", "operator", false],
    ["operator", "operator", true],
    ["operator", "approver", false],
    ["approver", "operator", true],
    ["admin", "approver", true],
  ] as const)("%s, asked for the role %s: %s", (role, needed, may) => {
    expect(whyNotAnswer({ role: needed }, { name: "ann", role }) === undefined).toBe(may);
  });

  it("is not the person who started the run, except for a no", () => {
    const question = { ...anApproval, answers: ["approve", "reject"], requester: "ann" };
    expect(answersFor(question, { name: "ann" })).toEqual(["reject"]);
    expect(answersFor(question, { name: "ben" })).toEqual(["approve", "reject"]);
  });
});

describe("an answer", () => {
  it("has a button that says what it does, whatever an action asks", () => {
    expect(answerLabel(anApproval, "reject")).toBe("Reject, change nothing");
    expect(answerLabel({ kind: "ask" }, "resume")).toBe('Answer "resume"');
  });

  it("has at most two reasons from the evidence and a usual one", () => {
    expect(quickReasons({ kind: "approve" }, ["burn is 0.1, was 20", "spend is 0, was 3", "third"])).toHaveLength(3);
  });
});

describe("a plan that changed", () => {
  it("is shown as what is new, what is gone and what is different", () => {
    const [first, ...others] = aClosingPlan.changes;
    if (first === undefined) throw new Error("The plan has no change.");
    const added = { ...first, field: "added" };
    const current = { ...aClosingPlan, changes: [{ ...first, after: "other" }, added] };
    const gone = { ...first, field: "gone" };
    const read = { ...aClosingPlan, changes: [first, ...others, gone] };
    const names = planDifferences(read, current).map(({ field, read: old, current: now }) => [field, old !== undefined, now !== undefined]);
    expect(names).toContainEqual([first.field, true, true]);
    expect(names).toContainEqual(["added", false, true]);
    expect(names).toContainEqual(["gone", true, false]);
    expect(planDifferences(read, read)).toEqual([]);
  });
});

describe("what a person hears", () => {
  it("is one sentence about entries that matter, and nothing about those that were there", () => {
    const journal = everyEntry;
    const all = announcements(journal, 0, (step) => `Step ${step}`);
    expect(all.length).toBeGreaterThan(5);
    expect(all.every((sentence) => sentence.length < 300)).toBe(true);
    expect(announcements(journal, journal.length, String)).toEqual([]);
  });
});

describe("a freeze from the page of a run", () => {
  it("covers the target first, and names what it covers", () => {
    const scopes = freezeScopes({ runbookId: "cost", target: "budget/a:b" });
    expect(scopes.map(scopeText)).toEqual(["budget/a:b", "runbook cost", "everything"]);
    expect(freezeScopes({ runbookId: "cost" })).toEqual(["runbook:cost", "all"]);
  });
});
