import type { SecurityFinding } from "../../packages/sdk/src/wire/security-findings.ts";
import { unknownFeature } from "../../src/llm/findings/security-finding.ts";
import type { SecurityFindingStore } from "../../src/llm/findings/security-finding-store.ts";
import type { ReportFinding } from "../../src/llm/findings/security-source.ts";
import { createMemorySecurityFindings } from "../../src/rehearsal/memory-security-findings.ts";

/** The part of a store of findings that sources and webhooks use. */
export interface ReportedFindings extends Pick<SecurityFindingStore, "list" | "sources" | "recordSource"> {
  readonly report: ReportFinding;
}

/** Findings in memory, listed by source and ref. Those that name no feature are in none. */
export function createReportedFindings(): ReportedFindings {
  const store = createMemorySecurityFindings({ now: () => 0 });
  const order = ({ source, ref }: SecurityFinding) => `${source} ${ref}`;
  return {
    ...store,
    list: async (filter, max) => (await store.list(filter, max)).toSorted((a, b) => (order(a) < order(b) ? -1 : 1)),
    async report(finding) {
      const result = await store.report({ ...finding, feature: finding.feature ?? unknownFeature });
      return result.kind === "full" ? { kind: "refused", reason: "there are too many" } : result;
    },
  };
}
