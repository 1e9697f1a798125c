import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import { type SecurityFinding, type SeverityClass, severityClasses } from "../../../packages/sdk/src/wire/security-findings.ts";
import { sha256 } from "../../core/json.ts";
import type { PlacedSecurityFinding } from "./security-finding-store.ts";

/** The feature of a finding that belongs to no feature of runbookd.yml. */
export const unknownFeature = "unknown";

/** Id of the finding that a source calls `ref`. */
export function findingIdOf({ source, ref }: Pick<SecurityFinding, "source" | "ref">): string {
  return `finding-${sha256(JSON.stringify([source, ref])).slice(0, 32)}`;
}

/**
 * The class that a finding counts under. Until it is judged that is its source's word raised by one class, and `critical` where the source has none: what is
 * not known is not taken for harmless.
 */
export function countedClassOf({ verdict, facts }: Pick<SecurityFinding, "verdict" | "facts">): SeverityClass {
  if (verdict !== null) return verdict.class;
  if (facts.sourceSeverity === undefined) return "critical";
  return severityClasses[Math.max(0, severityClasses.indexOf(facts.sourceSeverity) - 1)] ?? "critical";
}

/** Whether a finding calls for switching its feature off. Until it is judged it does: what is not known is not taken for harmless. */
export function callsForContainment({ verdict }: Pick<SecurityFinding, "verdict">): boolean {
  return verdict?.contain ?? true;
}

/** Hash of all that a source reports of a finding but the time of it. */
export function contentHashOf({ updatedAt: _updatedAt, ...content }: PlacedSecurityFinding): string {
  return sha256(canonicalJson(content));
}

/** What the source of a kept finding has reported. */
export function reportOf(finding: SecurityFinding): PlacedSecurityFinding {
  const { id: _id, firstSeenAt: _first, verdict: _verdict, runId: _runId, ...report } = finding;
  return report;
}
