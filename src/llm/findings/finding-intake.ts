import type { ReportedSecurityFinding, SecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import { type Clock, yieldToEventLoop } from "../../core/clock.ts";
import { minuteMs } from "../../core/duration.ts";
import type { Feature } from "../../core/feature.ts";
import type { AssessFinding } from "./assess-finding.ts";
import { cleanFinding } from "./clean-finding.ts";
import { featureOf } from "./feature-of.ts";
import type { FindingReportResult, SecurityFindingStore } from "./security-finding-store.ts";

/** What became of one reported finding. `refused`: it was not kept, and `reason` says why. */
export type FindingIntakeResult =
  | {
      readonly kind: "created" | "updated" | "unchanged" | "older";
      readonly finding: SecurityFinding;
      /** Why it is in its feature, or why in none. */
      readonly reason: string;
    }
  | { readonly kind: "refused"; readonly reason: string };

/** Takes findings in: cleans their texts, finds their feature, keeps them and judges them. */
export interface FindingIntake {
  /** The results in the order of the findings. Rejects with StoreUnavailable when the store does not answer; what was kept until then stays. */
  take(findings: readonly ReportedSecurityFinding[]): Promise<readonly FindingIntakeResult[]>;
}

/** What an intake of findings needs. */
export interface FindingIntakeDeps {
  readonly store: Pick<SecurityFindingStore, "report" | "judge" | "prune">;
  readonly features: readonly Feature[];
  readonly assess: AssessFinding;
  readonly clock: Pick<Clock, "now">;
}

/** Findings that are kept at once. */
const findingsAtOnce = 50;

/** How far a source's clock may be ahead of ours. A time beyond it would keep every true report of the finding away until then. */
const maxClockLeadMs = 60 * minuteMs;

/** Takes in findings from every source. */
export function createFindingIntake({ store, features, assess, clock }: FindingIntakeDeps): FindingIntake {
  const takeOne = async (reported: ReportedSecurityFinding): Promise<FindingIntakeResult> => {
    if (reported.updatedAt > clock.now() + maxClockLeadMs)
      return { kind: "refused", reason: "The time of its last change is more than an hour ahead of this server's clock." };
    const clean = cleanFinding(reported);
    const { feature, reason } = featureOf(clean, features);
    const result = await store.report({ ...clean, feature });
    if (result.kind === "full") return { kind: "refused", reason: "As many findings are open as can be kept; end some at their source." };
    return { kind: result.kind, finding: await judged(result), reason };
  };

  /** The finding with a verdict on what it says now. A verdict on what is no longer so is not written; the report that changed it is judged for itself. */
  const judged = async ({ finding }: Exclude<FindingReportResult, { kind: "full" }>): Promise<SecurityFinding> => {
    if (finding.verdict !== null) return finding;
    const verdict = await assess(
      finding,
      features.find(({ name }) => name === finding.feature),
    );
    return (await store.judge({ finding, verdict })) ? { ...finding, verdict } : finding;
  };

  return {
    async take(findings) {
      const results: FindingIntakeResult[] = [];
      for (let start = 0; start < findings.length; start += findingsAtOnce) {
        results.push(...(await Promise.all(findings.slice(start, start + findingsAtOnce).map(takeOne))));
        await yieldToEventLoop();
      }
      await store.prune();
      return results;
    },
  };
}
