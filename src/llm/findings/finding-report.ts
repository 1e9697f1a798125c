import type { FindingReport } from "../../../packages/sdk/src/wire/finding-imports.ts";
import type { FindingEvent, SecurityFinding, SourceStatus } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Instant } from "../../core/clock.ts";
import { hourMs } from "../../core/duration.ts";
import { countedClassOf, unknownFeature } from "./security-finding.ts";

/** Findings of one report. */
export const maxReportedFindings = 1000;

/** The shortest time within which an authority must be told of a personal data breach, from when it is known (GDPR, article 33). */
const reportWithinMs = 72 * hourMs;

/** Which time and feature a report is on. */
export interface FindingReportScope {
  readonly at: Instant;
  readonly since: Instant;
  readonly feature: string | null;
  readonly sources: readonly SourceStatus[];
}

/** A finding with what happened to it. */
export interface FindingWithEvents {
  readonly finding: SecurityFinding;
  readonly events: readonly FindingEvent[];
}

/** What is known of findings that are open or had an event since a time, and what is not. Pure. */
export function createFindingReport(all: readonly FindingWithEvents[], scope: FindingReportScope): FindingReport {
  const concerned = all.filter(
    ({ finding, events }) => finding.state === "open" || Math.max(finding.firstSeenAt, ...events.map(({ at }) => at)) >= scope.since,
  );
  const shown = concerned.slice(0, maxReportedFindings).toSorted((a, b) => a.finding.firstSeenAt - b.finding.firstSeenAt);
  const firstKnownAt = shown[0]?.finding.firstSeenAt ?? null;
  return {
    at: scope.at,
    since: scope.since,
    feature: scope.feature,
    firstKnownAt,
    reportUntil: firstKnownAt === null ? null : firstKnownAt + reportWithinMs,
    findings: shown.map(({ finding, events }) => ({
      ...finding,
      class: countedClassOf(finding),
      assessed: finding.verdict !== null,
      events,
    })),
    timeline: shown
      .flatMap(({ finding, events }) =>
        events.map((event) => ({ at: event.at, finding: finding.id, sentence: sentenceOf(finding, event) })),
      )
      .toSorted((a, b) => a.at - b.at),
    unknown: [
      ...(all.length > maxReportedFindings ? [`More than ${maxReportedFindings} findings match; the others are not in this report.`] : []),
      ...scope.sources.flatMap((status) => (status.up ? [] : [blindSentence(status)])),
      ...shown.flatMap(({ finding }) => unknownOf(finding)),
      "Whether personal data was read, changed or taken is not recorded in findings: a person must state it.",
    ],
    sources: [...scope.sources],
  };
}

function sentenceOf({ title, source, feature }: SecurityFinding, { kind, value }: FindingEvent): string {
  switch (kind) {
    case "created":
      return `${source} reported "${title}" in ${feature} for the first time, as ${value}.`;
    case "state":
      return `${source} reported "${title}" as ${value}.`;
    case "changed":
      return `${source} changed its report of "${title}".`;
    case "judged":
      return `"${title}" was assessed as ${value}.`;
  }
}

function blindSentence({ source, reason, seenAt }: SourceStatus): string {
  const since = seenAt === undefined ? "has never been read" : `was read last at ${new Date(seenAt).toISOString()}`;
  return `The source ${source} cannot be read and ${since}, so that findings of it may be missing.${reason === undefined ? "" : ` ${reason}`}`;
}

function unknownOf(finding: SecurityFinding): readonly string[] {
  const { id, verdict, feature, secret } = finding;
  return [
    ...(verdict === null ? [`${id}: Its class is not assessed; it counts as ${countedClassOf(finding)}.`] : []),
    ...(verdict !== null && verdict.unknown.length > 0
      ? [`${id}: ${verdict.unknown.join(", ")} could not be told when it was assessed.`]
      : []),
    ...(feature === unknownFeature
      ? [`${id}: It is in no feature of runbookd.yml, so that who is affected is not told by its feature.`]
      : []),
    ...(secret?.validity === "unknown" ? [`${id}: Whether the exposed secret still works is not told.`] : []),
  ];
}
