import type { Rehearsal, SimulatedFeature, SimulatedFinding } from "../../src/rehearsal/rehearsal.ts";

/** A feature with a flag, a budget and no keys, whose three processes follow and whose trial request is refused once it is off. */
export function aSimulatedFeature(change: Partial<SimulatedFeature> = {}): SimulatedFeature {
  return {
    name: "export",
    flags: ["export"],
    budgets: ["checkout"],
    keys: [],
    exposure: "customers",
    data: "personal",
    followers: 3,
    staleFollowers: 0,
    probe: "refused",
    requests: 0,
    attacks: { recorded: 2, harmless: 1, hits: 1, fixHits: 0, answers: 1, fixAnswers: 1, failed: 0, changes: false },
    release: {
      fixes: 1,
      moves: false,
      behind: false,
      baseMoves: false,
      tests: { fix: { passed: 6, failed: 0, skipped: 0 }, base: { passed: 4, failed: 2 }, otherCommit: false },
      processes: 3,
      up: 3,
      restarts: true,
      steady: true,
      putBack: true,
    },
    ticketsPerMinute: 20,
    quality: 0.95,
    qualityWithout: 0.95,
    ...change,
  };
}

/** A vulnerability that is known to be exploited. */
export function aSimulatedFinding(change: Partial<SimulatedFinding> = {}): SimulatedFinding {
  return {
    ref: "1",
    source: "github-code-scanning",
    feature: "export",
    kind: "vulnerability",
    state: "open",
    title: "A ticket's text is obeyed",
    agoMs: 60_000,
    afterMs: 0,
    weakness: { cwe: [], owasp: [], cve: "CVE-2026-1234" },
    facts: { knownExploited: true, cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" },
    ...change,
  };
}

/** One feature with one grave finding, from a source that can be read. */
export function aSecurityIncident(
  change: Partial<Pick<Rehearsal, "features" | "findings" | "sources">> = {},
): Pick<Rehearsal, "features" | "findings" | "sources"> {
  return { features: [aSimulatedFeature()], findings: [aSimulatedFinding()], sources: { "github-code-scanning": "up" }, ...change };
}
