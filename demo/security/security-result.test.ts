import { describe, expect, it } from "@jest/globals";
import type { RolloutView } from "../runbookd-api.ts";
import { milestonesOf, type SecurityObservations, securityFaults, securityLine, securityMilestones } from "./security-result.ts";

const fix = "f".repeat(40);
const merge = "a".repeat(40);
const bound = 0.0487;

function aView(shares: readonly number[]): RolloutView {
  const decisions = shares.map((share, index) => ({ at: 20_000 + index, decision: "advance", reason: "shown", share }));
  return {
    rollout: { id: "r", state: "promoted", step: shares.length - 1, plan: { steps: [...shares] }, decisions },
    strata: [],
    verdict: { cost: { kind: "free" } },
  };
}

const replay = { hits: 0, tries: 60, bound, sha: fix, harmless: 20, harmlessWorse: 0 };
const check = {
  leaksBefore: 9,
  leaksAfterOff: 0,
  servedAfterOff: 0,
  newProcesses: 3,
  tests: { passed: 6, failed: 0, sha: merge },
  differences: [],
};

const good: SecurityObservations = {
  ...Object.fromEntries(securityMilestones.map(({ key }, index) => [key, index * 1000])),
  outcome: "succeeded",
  low: { class: "medium", unknown: ["knownExploited"], disabled: false },
  serious: { class: "critical", unknown: ["cvss", "observed"] },
  off: { needed: true, followers: 3, followersCurrent: 3 },
  reproduced: { ...replay, hits: 55, sha: "0".repeat(40) },
  tests: { passed: 6, failed: 0, sha: fix },
  replay,
  fixSha: fix,
  mergeSha: merge,
  deployed: { current: 3, processes: 3 },
  rollout: aView([0.1, 0.5, 1]),
  sourceStates: ["fixed", "fixed"],
  effectsRepeated: 0,
  check,
};

describe("what the security demo must show", () => {
  it("is all of it", () => {
    expect(securityFaults(good)).toEqual([]);
    expect(JSON.parse(securityLine(good))).toMatchObject({
      low: { disabled: false, class: "medium" },
      class: "critical",
      unknown: ["cvss", "observed"],
      foundToOffS: 2,
      leaksBefore: 9,
      leaksAfterOff: 0,
      servedAfterOff: 0,
      followers: "3/3",
      reproduced: true,
      tests: { passed: 6, sha: fix },
      replay: { tries: 60, hits: 0, bound },
      harmlessWorse: 0,
      approvalVoided: true,
      deployed: "3/3",
      shares: [0.1, 0.5, 1],
      sourceState: "fixed",
      lostWebhookFound: true,
      effectsRepeated: 0,
      outcome: "succeeded",
    });
    expect(milestonesOf(good).every(({ reached }) => reached !== undefined)).toBe(true);
  });

  it("is nothing of it before it has happened", () => {
    const nothing: SecurityObservations = { sourceStates: [] };
    expect(securityFaults(nothing).length).toBeGreaterThan(securityMilestones.length);
    expect(JSON.parse(securityLine(nothing))).toMatchObject({ foundToOffS: null, leaksBefore: null, shares: [], reproduced: false });
  });

  it.each<[string, Partial<SecurityObservations>]>([
    // The same severity for everything.
    ["harmless finding has switched the feature off", { low: { class: "critical", unknown: [], disabled: true } }],
    ["had to be low or medium", { low: { class: "critical", unknown: [], disabled: false } }],
    ["had to be critical", { serious: { class: "medium", unknown: ["cvss"] } }],
    // A score of 0 for a vector that cannot be read.
    ["was not unknown", { serious: { class: "critical", unknown: [] } }],
    // An acknowledgement taken for containment.
    ["at most 60 are promised", { reportedAt: 0, offAt: 60_001 }],
    ["texts left after the feature was off", { check: { ...check, leaksAfterOff: 1 } }],
    ["requests were served while the feature was off", { check: { ...check, servedAfterOff: 1 } }],
    // A flag that no process reads.
    ["0/0 processes are shown to follow", { off: { needed: true, followers: 0, followersCurrent: 0 } }],
    ["2/3 processes are shown to follow", { off: { needed: true, followers: 3, followersCurrent: 2 } }],
    // An attack that never worked.
    ["Nothing leaked", { check: { ...check, leaksBefore: 0 } }],
    ["not reproduced", { reproduced: { ...replay, hits: 0, sha: merge } }],
    ["on the same commit before and after", { reproduced: { ...replay, hits: 3 } }],
    // Tests of another commit, or none.
    ["0 tests passed", { tests: { passed: 0, failed: 0, sha: fix } }],
    ["5 tests passed and 1 failed", { tests: { passed: 5, failed: 1, sha: fix } }],
    ["tests ran on another commit", { tests: { passed: 6, failed: 0, sha: merge } }],
    ["1 of 60 tries hit the fix", { replay: { ...replay, hits: 1 } }],
    ["0 of 59 tries hit the fix", { replay: { ...replay, tries: 59 } }],
    ["attack was tried on another commit", { replay: { ...replay, sha: merge } }],
    // A fix that refuses everything.
    ["harmless requests are worse", { replay: { ...replay, harmlessWorse: 20 } }],
    ["No harmless request", { replay: { ...replay, harmless: 0 } }],
    // An approval that is used for a later commit.
    ["The approval held", { voidedAt: undefined }],
    // A deployment without new processes.
    ["2/3 processes run what was merged", { deployed: { current: 2, processes: 3 } }],
    ["0 new processes", { check: { ...check, newProcesses: 0 } }],
    ["not the merged commit", { check: { ...check, tests: { ...check.tests, sha: fix } } }],
    ["which do not grow", { rollout: aView([1]) }],
    ["which do not grow", { rollout: aView([0.5, 0.1, 1]) }],
    // A finding that a person has dismissed.
    ["is dismissed at its source", { sourceStates: ["fixed", "dismissed"] }],
    ["is unknown at its source", { sourceStates: [] }],
    ["webhook was lost was not found", { listedAt: undefined }],
    ["effects happened again", { effectsRepeated: 1 }],
    ["Nothing was checked from outside", { check: undefined }],
    ["Checked from outside: process 1 is old.", { check: { ...check, differences: ["process 1 is old"] } }],
    ["ended undone", { outcome: "undone" }],
    ["unexpected question: Which?", { unexpected: "Which?" }],
    ["began again", { restartFault: "Step x was complete and began again." }],
  ])("is not shown, and says so: %s", (sentence, change) => {
    expect(securityFaults({ ...good, ...change }).join("\n")).toContain(sentence);
  });
});
