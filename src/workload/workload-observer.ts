import type { FinishedTicket } from "./ledger.ts";
import type { UsageEvent } from "./usage-report.ts";

/** What the workload tells metrics. Never throws. */
export interface WorkloadObserver {
  /** Events that were counted for the first time; duplicates never come here. */
  usage(events: readonly UsageEvent[]): void;
  /** A ticket has ended, once. */
  finished(ticket: FinishedTicket): void;
}
