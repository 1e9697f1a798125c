import { describe, expect, it } from "@jest/globals";
import type { SecurityFinding, SeverityVerdict } from "../../../packages/sdk/src/wire/security-findings.ts";
import { minuteMs } from "../../core/duration.ts";
import type { Feature } from "../../core/feature.ts";
import { type ContainmentFacts, decideContainment } from "./decide-containment.ts";

const feature: Feature = {
  name: "export",
  flags: [{ system: "runbookd", key: "export" }],
  budgets: [],
  keys: [],
  paths: [],
  versionUrls: [],
};
const now = 1_700_000_000_000;

function aVerdict(change: Partial<SeverityVerdict> = {}): SeverityVerdict {
  return { class: "critical", reasons: ["It is exploited."], unknown: [], contain: true, ...change };
}

function aFinding(change: Partial<SecurityFinding> = {}): SecurityFinding {
  return {
    id: "finding-1",
    source: "github",
    ref: "1",
    kind: "vulnerability",
    state: "open",
    title: "A hole",
    feature: "export",
    weakness: { cwe: [], owasp: [] },
    facts: {},
    location: {},
    updatedAt: now,
    firstSeenAt: now,
    verdict: aVerdict(),
    ...change,
  };
}

function decide(change: Partial<ContainmentFacts> = {}) {
  return decideContainment({
    name: "export",
    feature,
    findings: [aFinding()],
    sources: [{ source: "github", up: true }],
    alertSince: now,
    atLeast: "critical",
    ...change,
  });
}

describe("a feature is switched off", () => {
  it.each<[string, Partial<ContainmentFacts>]>([
    ["verdict", {}],
    ["verdict", { findings: [aFinding({ verdict: aVerdict({ class: "high" }) })] }],
    ["verdict", { findings: [aFinding({ verdict: aVerdict({ class: "high", contain: false }) })], atLeast: "high" }],
    ["verdict", { findings: [aFinding({ verdict: aVerdict({ class: "low", contain: false }) }), aFinding({ id: "finding-2" })] }],
    ["verdict", { findings: [aFinding(), aFinding({ id: "finding-2", verdict: null })] }],
    ["not_assessed", { findings: [aFinding({ verdict: null })] }],
    ["findings_unreadable", { findings: undefined }],
    ["source_blind", { findings: [], sources: [{ source: "github", up: false }] }],
    ["source_blind", { findings: [], sources: undefined }],
    ["alert_unexplained", { findings: [] }],
    ["alert_unexplained", { findings: [aFinding({ state: "fixed", updatedAt: now - 60 * minuteMs })] }],
  ])("because of %s (%#)", (reason, change) => {
    expect(decide(change)).toMatchObject({ kind: "contain", reason, feature });
  });

  it("and the sentence says which finding it is and why", () => {
    expect(decide()).toMatchObject({ sentence: 'critical: "A hole" from github. It is exploited.' });
  });
});

describe("a feature is left on", () => {
  const harmless = aFinding({ verdict: aVerdict({ class: "high", contain: false }) });
  it.each<[string, Partial<ContainmentFacts>]>([
    ["below_threshold", { findings: [harmless] }],
    ["below_threshold", { findings: [harmless], sources: [{ source: "github", up: false }] }],
    ["below_threshold", { findings: [harmless], feature: undefined }],
    ["closed", { findings: [aFinding({ state: "fixed" })] }],
    ["closed", { findings: [aFinding({ state: "dismissed" })], sources: undefined }],
    ["no_finding", { findings: [], alertSince: undefined }],
    ["no_finding", { findings: [], alertSince: undefined, sources: undefined }],
  ])("because of %s (%#)", (reason, change) => {
    expect(decide(change)).toMatchObject({ kind: "spare", reason });
  });
});

it.each<[string, Partial<ContainmentFacts>]>([
  ["verdict", {}],
  ["not_assessed", { findings: [aFinding({ verdict: null })] }],
  ["findings_unreadable", { findings: undefined }],
  ["alert_unexplained", { findings: [] }],
])("a person is asked about a feature that is not described, and nothing is guessed: %s", (reason, change) => {
  const decided = decide({ ...change, feature: undefined });
  expect(decided).toMatchObject({ kind: "ask", reason });
  expect(decided).not.toHaveProperty("feature");
});
