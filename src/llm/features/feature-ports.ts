import type { HttpPort } from "../../actions/http-port.ts";
import type { Feature } from "../../core/feature.ts";
import type { BudgetControl } from "../budgets/budget.ts";
import type { AssessFinding } from "../findings/assess-finding.ts";
import type { SecurityFindingStore } from "../findings/security-finding-store.ts";
import type { FlagStore } from "../flags/flag.ts";
import type { FlagSwitches } from "../flags/flag-switches.ts";
import type { EvidencePorts } from "./evidence.ts";
import type { KeySwitches } from "./key-switches.ts";

/** Counts what applications did with requests to a feature. */
export interface FeatureRequests {
  /** Requests that were served within the last `withinMs`; undefined: no process reports them, or the count cannot be read. */
  served(feature: string, withinMs: number, signal: AbortSignal): Promise<number | undefined>;
}

/** What containing a feature acts on. */
export interface FeaturePorts {
  /** As runbookd.yml describes them. */
  readonly features: readonly Feature[];
  readonly securityFindings: Pick<SecurityFindingStore, "list" | "read" | "judge" | "sources" | "events">;
  /** Those that runbookd keeps itself. */
  readonly flags: Pick<FlagStore, "read" | "set">;
  /** How urgent a finding is, by all that is known of it. */
  readonly assess: AssessFinding;
  readonly flagSwitches: FlagSwitches;
  readonly keySwitches: KeySwitches;
  readonly featureRequests: FeatureRequests;
  readonly budgets: BudgetControl;
  readonly http: HttpPort;
  readonly evidence: EvidencePorts;
}
