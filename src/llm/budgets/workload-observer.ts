import type { UsageObserver } from "../usage/usage-ledger.ts";
import type { FinishedTicket } from "./budget-ledger.ts";

/** What the workload tells metrics. Never throws. */
export interface WorkloadObserver extends UsageObserver {
  /** A ticket has ended, once. */
  finished(ticket: FinishedTicket): void;
}
