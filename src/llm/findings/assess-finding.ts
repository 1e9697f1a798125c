import type { SecurityFinding, SeverityVerdict } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Clock } from "../../core/clock.ts";
import type { Feature } from "../../core/feature.ts";
import { decideSeverity } from "./decide-severity.ts";
import { exploitationFacts, withExploitation } from "./exploitation.ts";
import type { ExploitationStore } from "./exploitation-store.ts";

/**
 * Decides how urgent a finding is. `feature` is undefined for a finding in no feature of runbookd.yml. Rejects with StoreUnavailable when what is known of its
 * CVE cannot be read.
 */
export type AssessFinding = (finding: SecurityFinding, feature: Feature | undefined) => SeverityVerdict | Promise<SeverityVerdict>;

/** An assessment by a finding's own facts and by what public feeds say of its CVE; without `exploitation` by its own facts alone. */
export function createAssessment(exploitation: Pick<ExploitationStore, "read"> | undefined, clock: Pick<Clock, "now">): AssessFinding {
  return async (finding, feature) => {
    const { cve } = finding.weakness;
    const records = cve === undefined ? undefined : await exploitation?.read([cve]);
    const record = records?.get(cve ?? "");
    return decideSeverity(record === undefined ? finding : withExploitation(finding, exploitationFacts(record, clock.now())), feature);
  };
}
