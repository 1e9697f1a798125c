import { expect, it } from "@jest/globals";
import type { FindingEvent, SecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import { aSecurityFinding, aVerdict } from "../../../test/contracts/describe-security-findings.ts";
import { createFindingReport, maxReportedFindings } from "./finding-report.ts";
import { renderFindingReport } from "./render-finding-report.ts";

const hour = 3_600_000;

function aKept(change: Partial<SecurityFinding> = {}, events: readonly FindingEvent[] = []) {
  return { finding: { ...aSecurityFinding(), id: "finding-1", firstSeenAt: 1000, verdict: null, ...change }, events };
}

const scope = { at: 100 * hour, since: 10 * hour, feature: null, sources: [] };

it("covers what is open and what has happened since, and counts 72 hours from the first of them", () => {
  const report = createFindingReport(
    [
      aKept({ id: "open-long-ago" }),
      aKept({ id: "ended-long-ago", state: "fixed", firstSeenAt: 0 }, [{ at: hour, kind: "state", value: "fixed" }]),
      aKept({ id: "ended-since", state: "fixed", firstSeenAt: 2000 }, [{ at: 11 * hour, kind: "state", value: "fixed" }]),
    ],
    scope,
  );
  expect(report.findings.map(({ id }) => id)).toEqual(["open-long-ago", "ended-since"]);
  expect(report).toMatchObject({ firstKnownAt: 1000, reportUntil: 1000 + 72 * hour });
  expect(createFindingReport([], scope)).toMatchObject({ firstKnownAt: null, reportUntil: null, findings: [] });
});

it("says what is not known: classes, facts, features, keys, blind sources, and what findings never tell", () => {
  const { unknown } = createFindingReport(
    [
      aKept({ feature: "unknown" }),
      aKept({ id: "finding-2", verdict: { ...aVerdict("high"), unknown: ["epss", "cvss"] }, secret: { type: "npm", validity: "unknown" } }),
    ],
    { ...scope, sources: [{ source: "gitleaks", up: false, reason: "403.", seenAt: 0 }] },
  );
  expect(unknown).toEqual([
    "The source gitleaks cannot be read and was read last at 1970-01-01T00:00:00.000Z, so that findings of it may be missing. 403.",
    "finding-1: Its class is not assessed; it counts as high.",
    "finding-1: It is in no feature of runbookd.yml, so that who is affected is not told by its feature.",
    "finding-2: epss, cvss could not be told when it was assessed.",
    "finding-2: Whether the exposed secret still works is not told.",
    "Whether personal data was read, changed or taken is not recorded in findings: a person must state it.",
  ]);
});

it("says that it does not hold everything", () => {
  const many = Array.from({ length: maxReportedFindings + 1 }, (_, nth) => aKept({ id: `finding-${nth}` }));
  const report = createFindingReport(many, scope);
  expect(report.findings).toHaveLength(maxReportedFindings);
  expect(report.unknown[0]).toContain("More than 1000 findings match");
});

it("becomes Markdown with a timeline, and no text of a finding becomes markup", () => {
  const title = "[x](javascript:1) <script> | **bold**\n## heading";
  const report = createFindingReport([aKept({ title, verdict: aVerdict("high") }, [{ at: hour, kind: "created", value: "open" }])], scope);
  const text = renderFindingReport(report);
  expect(text).toContain(
    "| finding-1 | high | open | export | semgrep | 1970-01-01T00:00:01.000Z | \\[x\\]\\(javascript:1\\) \\<script\\> \\| \\*\\*bold\\*\\* \\#\\# heading |",
  );
  expect(text).toContain('* 1970-01-01T01:00:00.000Z: semgrep reported "\\[x\\]');
  expect(text).toContain("* finding-1: It is high.");
  expect(text.split("\n").filter((line) => line.startsWith("## "))).toEqual([
    "## What is known",
    "## What is not known",
    "## Timeline",
    "## Sources",
  ]);
});
